"""Argument types shared by the library, and flags for optional packages."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal

from torch import Tensor

from symgnn_pyg.skeleton import Skeleton

# A graph for each sample of a batch: one matrix [V, V] shared by all samples,
# one per sample [N, V, V], or, for samples of unequal sizes, a sequence of
# matrices [V_n, V_n].
GraphLike = Tensor | Sequence[Tensor]

# The skeleton of a layer, or several skeletons that share its weights. A name
# stands for the built-in skeleton.
SkeletonLike = Skeleton | str | Sequence[Skeleton | str]

# What the coordinates of a motion are: positions or exponential maps.
Kind = Literal["position", "rotation"]

# What a sample of a recording is: a window, or all of it, stretched.
Samples = Literal["windows", "clips"]

# How the gradients of the tasks are scaled before MGDA weighs them.
Normalization = Literal["none", "l2", "loss", "loss+"]

# The label of a sample without one, which torch's losses leave out.
UNLABELLED = -100

WITH_TRITON = find_spec("triton") is not None

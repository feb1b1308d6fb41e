"""The types that arguments have in common, and what is installed."""

from collections.abc import Sequence
from importlib.util import find_spec

from torch import Tensor

from symgnn_pyg.skeleton import Skeleton

# A graph of a batch: a matrix [V, V], one a sample [N, V, V], or for samples
# of unequal sizes a sequence of matrices [V_n, V_n].
GraphLike = Tensor | Sequence[Tensor]

# The skeleton of a layer, or the several that share its weights.
SkeletonLike = Skeleton | Sequence[Skeleton]

WITH_TRITON = find_spec("triton") is not None

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.typing import SkeletonLike


def per_skeleton(
    skeleton: SkeletonLike | None, make: Callable[[Skeleton], Tensor]
) -> Tensor | list[Tensor] | None:
    r"""Applies :obj:`make` to a skeleton, or to each of several skeletons.

    Raises:
        TypeError: If :obj:`skeleton` is not a skeleton.
        ValueError: If :obj:`skeleton` is an empty sequence.
    """
    if skeleton is None:
        return None
    given = as_skeletons(skeleton)
    # Also within the context of another device, such as "meta".
    with torch.device("cpu"):
        if isinstance(given, Skeleton):
            return make(given)
        return [make(one) for one in given]


def as_skeletons(skeleton: SkeletonLike) -> Skeleton | list[Skeleton]:
    r"""Returns a skeleton, or a list of several, with each name replaced by
    the built-in skeleton.

    Raises:
        TypeError: If :obj:`skeleton` is not a skeleton.
        ValueError: If :obj:`skeleton` is an empty sequence.
    """
    if isinstance(skeleton, str) or not isinstance(skeleton, Sequence):
        return as_skeleton(skeleton)
    if len(skeleton) == 0:
        raise ValueError("'skeleton' must hold at least one skeleton, got none")
    return [as_skeleton(one) for one in skeleton]


def check_skeleton_type(
    skeleton_type: Sequence[int] | None, num_skeletons: int
) -> Sequence[int]:
    r"""Checks the :obj:`skeleton_type` of a layer with several skeletons.

    Args:
        skeleton_type: The index of the skeleton of each sample.
        num_skeletons: The number of skeletons of the layer.

    Raises:
        ValueError: If it is missing or an index is out of range.
    """
    if skeleton_type is None:
        raise ValueError(
            f"A layer with {num_skeletons} skeletons requires 'skeleton_type', "
            f"the index of the skeleton of each sample, such as "
            f"[skeletons.index(s) for s in batch.skeleton]"
        )
    wrong = [kind for kind in skeleton_type if not 0 <= kind < num_skeletons]
    if wrong:
        raise ValueError(
            f"'skeleton_type' must hold indices from 0 to {num_skeletons - 1} "
            f"for {num_skeletons} skeletons, got {wrong[0]}"
        )
    return skeleton_type


def check_no_skeleton_type(skeleton_type: Sequence[int] | None) -> None:
    r"""Checks that :obj:`skeleton_type` is not given where it is not used."""
    if skeleton_type is not None:
        raise ValueError(
            "'skeleton_type' must be None for a layer with a single skeleton "
            "or if 'edge_index' is given"
        )

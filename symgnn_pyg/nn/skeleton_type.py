from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.typing import SkeletonLike


def per_skeleton(
    skeleton: SkeletonLike | None, make: Callable[[Skeleton], Tensor]
) -> Tensor | list[Tensor] | None:
    r"""What :obj:`make` makes of one skeleton, or of each of several.

    Raises:
        ValueError: If :obj:`skeleton` is an empty sequence.
    """
    if skeleton is None:
        return None
    # Also within the context of another device, such as "meta".
    with torch.device("cpu"):
        if isinstance(skeleton, Skeleton):
            return make(skeleton)
        if len(skeleton) == 0:
            raise ValueError("'skeleton' is an empty sequence")
        return [make(one) for one in skeleton]


def check_skeleton_type(
    skeleton_type: Sequence[int] | None, num_skeletons: int
) -> Sequence[int]:
    r"""The :obj:`skeleton_type` that a layer of several skeletons was given.

    Args:
        skeleton_type: Which skeleton each sample has.
        num_skeletons: The number of skeletons of the layer.

    Raises:
        ValueError: If it is missing or names a skeleton that the layer does
            not have.
    """
    if skeleton_type is None:
        raise ValueError(
            f"A layer of {num_skeletons} skeletons needs 'skeleton_type', the "
            f"index of each sample's skeleton, as in "
            f"[skeletons.index(s) for s in batch.skeleton]"
        )
    wrong = [kind for kind in skeleton_type if not 0 <= kind < num_skeletons]
    if wrong:
        raise ValueError(
            f"'skeleton_type' names the skeleton {wrong[0]}, but the layer has "
            f"{num_skeletons}"
        )
    return skeleton_type


def check_no_skeleton_type(skeleton_type: Sequence[int] | None) -> None:
    r"""Refuses :obj:`skeleton_type` where it has no use."""
    if skeleton_type is not None:
        raise ValueError(
            "'skeleton_type' was given to a layer of one skeleton, or beside "
            "'edge_index'"
        )

from collections.abc import Callable, Sequence

from torch import Tensor

from symgnn_pyg.skeleton import Skeleton

OneOrMore = Skeleton | Sequence[Skeleton]


def per_skeleton(
    skeleton: OneOrMore | None, make: Callable[[Skeleton], Tensor]
) -> Tensor | list[Tensor] | None:
    r"""What :obj:`make` makes of one skeleton, or of each of several.

    Raises:
        ValueError: If :obj:`skeleton` is an empty sequence.
    """
    if skeleton is None or isinstance(skeleton, Skeleton):
        return None if skeleton is None else make(skeleton)
    if len(skeleton) == 0:
        raise ValueError("'skeleton' is an empty sequence")
    return [make(one) for one in skeleton]


def check_kinds(
    kinds: Sequence[int] | None, num_skeletons: int
) -> Sequence[int]:
    r"""The :obj:`kinds` that a layer of several skeletons was given.

    Args:
        kinds: Which skeleton each sample has.
        num_skeletons: The number of skeletons of the layer.

    Raises:
        ValueError: If they are missing or name a skeleton that the layer does
            not have.
    """
    if kinds is None:
        raise ValueError(
            f"A layer of {num_skeletons} skeletons needs 'kinds', the index "
            f"of each sample's skeleton, as in [skeletons.index(s) for s in "
            f"batch.skeleton]"
        )
    wrong = [kind for kind in kinds if not 0 <= kind < num_skeletons]
    if wrong:
        raise ValueError(
            f"'kinds' name the skeleton {wrong[0]}, but the layer has "
            f"{num_skeletons}"
        )
    return kinds


def check_no_kinds(kinds: Sequence[int] | None) -> None:
    r"""Refuses :obj:`kinds` where no graphs of several skeletons are used."""
    if kinds is not None:
        raise ValueError(
            "'kinds' were given to a layer of one skeleton, or with edges"
        )

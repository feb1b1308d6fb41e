from collections.abc import Iterable, Sequence

from torch import Tensor


def place_joints(
    parents: Sequence[int],
    offsets: Iterable[Tensor],
    rotations: Iterable[Tensor | None],
) -> list[Tensor]:
    r"""Joint positions down a tree, each of shape :math:`[*, 3]`:

    .. math::
        \mathbf{R}_i = \mathbf{R}_{p(i)} \mathbf{L}_i,
        \qquad \mathbf{x}_i = \mathbf{x}_{p(i)} + \mathbf{R}_{p(i)}
        \mathbf{o}_i

    Args:
        parents: The parent of each joint, which stands before it; -1 for a
            joint without one.
        offsets: The position :math:`\mathbf{o}_i` of each joint relative to
            its parent, of shape :math:`[3]` or :math:`[*, 3]`.
        rotations: The rotation matrix :math:`\mathbf{L}_i` of each joint
            relative to its parent, of shape :math:`[*, 3, 3]`, or
            :obj:`None` for a joint that does not turn.
    """
    turned: list[Tensor | None] = []
    position: list[Tensor] = []
    for parent, offset, rotation in zip(
        parents, offsets, rotations, strict=True
    ):
        above = None if parent < 0 else turned[parent]
        if above is not None:
            offset = (above @ offset.unsqueeze(-1)).squeeze(-1)
        position.append(offset if parent < 0 else position[parent] + offset)
        if above is not None and rotation is not None:
            rotation = above @ rotation
        turned.append(above if rotation is None else rotation)
    return position

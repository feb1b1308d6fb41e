"""Joint positions from joint rotations, down the tree of bones."""

from collections.abc import Iterable, Sequence

import networkx as nx
import roma
import torch
from torch import Tensor

from symgnn_pyg.skeleton.skeleton import Skeleton


def forward_kinematics(rotation: Tensor, skeleton: Skeleton) -> Tensor:
    r"""Joint positions from joint rotations, down the tree of bones:

    .. math::
        \mathbf{R}_i = \mathbf{R}_{p(i)} \exp([\mathbf{v}_i]_{\times}),
        \qquad \mathbf{x}_i = \mathbf{x}_{p(i)} + \mathbf{R}_{p(i)}
        \mathbf{o}_i

    where :math:`\mathbf{o}_i` is the joint's offset in the rest pose.
    There is no way back: positions do not say how far a bone is turned about
    itself.

    Args:
        rotation: The rotation vector (exponential map) of each joint relative
            to its parent, in radians, of shape :math:`[*, V, 3]`.
        skeleton: The skeleton, with offsets.

    Returns:
        The positions in metres, of shape :math:`[*, V, 3]`, joints without a
        parent at their offsets.

    Raises:
        ValueError: If the skeleton has no offsets, or :obj:`rotation` another
            number of joints.

    Source: rotation vectors are turned into matrices by :obj:`roma`.
    """
    if skeleton.offsets is None:
        raise ValueError(f"{skeleton!r} has no 'offsets'")
    if rotation.shape[-2:] != (skeleton.num_joints, 3):
        raise ValueError(
            f"Expected 'rotation' of shape [*, {skeleton.num_joints}, 3], "
            f"got {list(rotation.shape)}"
        )
    tree = nx.DiGraph((parent, child) for child, parent in skeleton.bones)
    tree.add_nodes_from(range(skeleton.num_joints))
    order = list(nx.topological_sort(tree))  # Parents stand before children.
    place = {joint: i for i, joint in enumerate(order)}
    parent = dict(skeleton.bones)
    local = roma.rotvec_to_rotmat(rotation)  # [*, V, 3, 3]
    position = place_joints(
        [place[parent[joint]] if joint in parent else -1 for joint in order],
        rotation.new_tensor(skeleton.offsets)[order],
        (local[..., joint, :, :] for joint in order),
    )
    shape = (*rotation.shape[:-2], 3)
    return torch.stack(
        [position[place[j]].expand(shape) for j in range(len(order))], dim=-2
    )


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

"""Forward kinematics: joint positions from joint rotations."""

from collections.abc import Iterable, Sequence

import networkx as nx
import roma
import torch
from torch import Tensor

from symgnn_pyg.skeleton.as_skeleton import as_skeleton
from symgnn_pyg.skeleton.layouts import WHOLE_LAYOUTS
from symgnn_pyg.skeleton.skeleton import Skeleton


def forward_kinematics(rotation: Tensor, skeleton: Skeleton | str) -> Tensor:
    r"""Computes joint positions from joint rotations, from the root to the
    ends of the skeleton:

    .. math::
        \mathbf{R}_i = \mathbf{R}_{p(i)} \exp([\mathbf{v}_i]_{\times}),
        \qquad \mathbf{x}_i = \mathbf{x}_{p(i)} + \mathbf{R}_{p(i)}
        \mathbf{o}_i

    where :math:`p(i)` is the parent of joint :math:`i`, :math:`\mathbf{v}_i`
    its rotation vector and :math:`\mathbf{o}_i` its offset in the rest pose.
    There is no inverse, since positions do not determine how far a bone is
    rotated about its own axis.

    Args:
        rotation: The rotation vector (exponential map) of each joint relative
            to its parent, in radians, of shape :math:`[*, V, 3]`.
        skeleton: The skeleton, with offsets.

    Returns:
        The positions in metres, of shape :math:`[*, V, 3]`. Joints without a
        parent are at their offsets.

    Raises:
        ValueError: If the skeleton has no offsets, or :obj:`rotation` has
            another number of joints.
    """
    skeleton = as_skeleton(skeleton)
    if skeleton.offsets is None:
        raise ValueError(
            f"Forward kinematics needs a skeleton with 'offsets', got "
            f"{skeleton!r}"
        )
    if rotation.shape[-2:] != (skeleton.num_joints, 3):
        raise ValueError(
            f"Expected 'rotation' of shape [*, {skeleton.num_joints}, 3], "
            f"got {list(rotation.shape)}"
        )
    tree = nx.DiGraph((parent, child) for child, parent in skeleton.bones)
    tree.add_nodes_from(range(skeleton.num_joints))
    order = list(nx.topological_sort(tree))  # Parents come before children.
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


def joint_positions(
    pose: Tensor, skeleton: Skeleton | str, *, all_joints: bool = False
) -> Tensor:
    r"""Computes joint positions from exponential maps in the form of the
    skeleton's data set.

    The files of CMU Mocap (:obj:`"cmu26"`) and Human3.6M (:obj:`"h36m20"`)
    hold the negative rotation of each joint. Joints that these layouts drop
    stay at rest. The body is a generic adult for CMU Mocap, and for Human3.6M
    the one that the field uses for all subjects, with the bone lengths in the
    code of the `"Structural-RNN: Deep Learning on Spatio-Temporal Graphs"
    <https://arxiv.org/abs/1511.05298>`_ paper.

    The negative sign applies only to these two layouts: with any other
    skeleton, which needs offsets, :obj:`pose` holds the rotations themselves,
    for :func:`forward_kinematics`.

    Args:
        pose: The exponential maps in radians, of shape :math:`[*, V, 3]`.
        skeleton: The skeleton, of :math:`V` joints.
        all_joints: Whether to return the positions of all joints in a file,
            those of :obj:`"cmu38"` or :obj:`"h36m32"`. The field averages
            position errors over these. (default: :obj:`False`)

    Returns:
        The positions in metres, of shape :math:`[*, V, 3]`, or
        :math:`[*, 38, 3]` or :math:`[*, 32, 3]` for all joints. For the two
        data sets they are relative to the hips, with x to the left of the
        body, y up and z forward.

    Raises:
        ValueError: If the skeleton is of neither data set and has no offsets,
            or :obj:`pose` has another number of joints.
    """
    skeleton = as_skeleton(skeleton)
    if skeleton.offsets is not None or skeleton.name not in WHOLE_LAYOUTS:
        return forward_kinematics(pose, skeleton)
    name, kept = WHOLE_LAYOUTS[skeleton.name]
    if pose.shape[-2:] != (len(kept), 3):
        raise ValueError(
            f"Expected 'pose' of shape [*, {len(kept)}, 3], got "
            f"{list(pose.shape)}"
        )
    whole = Skeleton.get(name)
    rotation = pose.new_zeros(*pose.shape[:-2], whole.num_joints, 3)
    rotation[..., kept, :] = -pose
    position = forward_kinematics(rotation, whole)
    return position if all_joints else position[..., kept, :]


def cmu_positions(pose: Tensor) -> Tensor:
    r"""Computes joint positions from poses of CMU Mocap:
    :func:`joint_positions` of :obj:`"cmu26"`.

    Args:
        pose: The exponential maps in radians, of shape :math:`[*, 26, 3]`.

    Returns:
        The positions in metres relative to the hip, of shape
        :math:`[*, 26, 3]`, with x to the left of the body, y up and z forward.

    Raises:
        ValueError: If there are not 26 joints.
    """
    return joint_positions(pose, "cmu26")


def place_joints(
    parents: Sequence[int],
    offsets: Iterable[Tensor],
    rotations: Iterable[Tensor | None],
) -> list[Tensor]:
    r"""Computes the position of each joint of a tree, of shape
    :math:`[*, 3]`:

    .. math::
        \mathbf{R}_i = \mathbf{R}_{p(i)} \mathbf{L}_i,
        \qquad \mathbf{x}_i = \mathbf{x}_{p(i)} + \mathbf{R}_{p(i)}
        \mathbf{o}_i

    Args:
        parents: The parent of each joint, which must come before the joint;
            -1 for a joint without a parent.
        offsets: The position :math:`\mathbf{o}_i` of each joint relative to
            its parent, of shape :math:`[3]` or :math:`[*, 3]`.
        rotations: The rotation matrix :math:`\mathbf{L}_i` of each joint
            relative to its parent, of shape :math:`[*, 3, 3]`, or
            :obj:`None` for a joint that does not rotate.
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

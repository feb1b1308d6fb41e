"""What motion capture formats share: a tree of joints that turn and move."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import roma
import torch
from torch import Tensor

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.npy import check_finite
from symgnn_pyg.skeleton import Skeleton, place_joints

# Limits against malicious files, more than any body has.
MOST_JOINTS = 500
LONGEST_NAME = 200


class Motion(NamedTuple):
    r"""A recording and what its file says about it.

    Args:
        frames: The frames, of shape :math:`[T, V, C]`, or
            :math:`[B, T, V, C]` for :math:`B` bodies.
        skeleton: The joints and bones.
        frame_rate: The frames per second, or :obj:`None` if the file does not
            say.
        unit: The unit that a table states, such as :obj:`"mm"`.
            (default: :obj:`None`)
    """

    frames: np.ndarray
    skeleton: Skeleton
    frame_rate: float | None = None
    unit: str | None = None


class TreeJoint(NamedTuple):
    r"""A joint of a motion capture file.

    Args:
        name: Its name.
        parent: The index of its parent, which comes before it; -1 for the
            root.
        offset: Its position relative to its parent in the rest pose, in the
            unit of the file.
        channels: What the file holds of it per frame, in that order:
            positions :obj:`"tx"`, :obj:`"ty"` and :obj:`"tz"`, which replace
            its offset, and rotations :obj:`"rx"`, :obj:`"ry"` and
            :obj:`"rz"`. (default: :obj:`()`)
        axes: The axes it turns about, as a rotation matrix of shape
            :math:`[3, 3]`. (default: those of its parent)
    """

    name: str
    parent: int
    offset: Sequence[float]
    channels: tuple[str, ...] = ()
    axes: np.ndarray | None = None


def joint_positions(
    joints: Sequence[TreeJoint],
    table: np.ndarray,
    order: str,
    degrees: bool,
    name: str,
) -> np.ndarray:
    r"""Joint positions by forward kinematics, see
    :func:`~symgnn_pyg.skeleton.place_joints`.

    Args:
        joints: The joints.
        table: Their channels, of shape :math:`[T, \textrm{channels}]`.
        order: :obj:`"intrinsic"` if each rotation is about the axes that the
            previous ones have turned, or :obj:`"extrinsic"` if it is about
            axes that stay fixed.
        degrees: Whether angles are in degrees; radians otherwise.
        name: The name of the file in error messages.
    """
    widths = [len(joint.channels) for joint in joints]
    columns = torch.from_numpy(table).split(widths, dim=1)
    placed = place_joints(
        [joint.parent for joint in joints],
        (joint_offset(j, c) for j, c in zip(joints, columns, strict=True)),
        (
            joint_rotation(j, c, order, degrees)
            for j, c in zip(joints, columns, strict=True)
        ),
    )
    position = torch.stack([p.expand(len(table), 3) for p in placed], dim=1)
    check_finite(position.numpy(), name)
    return position.numpy()


def joint_offset(joint: TreeJoint, columns: Tensor) -> Tensor:
    r"""The position of a joint relative to its parent, from its channels."""
    offset = columns.new_tensor(joint.offset)
    moved = [i for i, c in enumerate(joint.channels) if c[0] == "t"]
    if moved:
        offset = offset.repeat(len(columns), 1)
        for i in moved:
            offset[:, "xyz".index(joint.channels[i][1])] = columns[:, i]
    return offset


def joint_rotation(
    joint: TreeJoint, columns: Tensor, order: str, degrees: bool
) -> Tensor | None:
    r"""The rotation matrices of a joint, or :obj:`None` if it has no rotation
    channels.
    """
    turned = [i for i, c in enumerate(joint.channels) if c[0] == "r"]
    if not turned:
        return None
    axes = "".join(joint.channels[i][1] for i in turned)
    if order == "intrinsic":
        axes = axes.upper()
    angles = list(columns[:, turned].unbind(dim=-1))
    rotation = roma.euler_to_rotmat(axes, angles, degrees=degrees)
    if joint.axes is None:
        return rotation
    basis = torch.from_numpy(joint.axes)
    return basis @ rotation @ basis.mT


def tree_skeleton(
    joints: Sequence[TreeJoint], kind: str, name: str
) -> Skeleton:
    r"""The skeleton of a file, with parts found by the names of its joints.

    Raises:
        DataError: If the joints do not form a skeleton.
    """
    if len(joints) > MOST_JOINTS:
        raise DataError(
            f"{name}: {len(joints)} joints, expected at most {MOST_JOINTS}"
        )
    try:
        return Skeleton(
            [joint.name for joint in joints],
            [(i, j.parent) for i, j in enumerate(joints) if j.parent >= 0],
            offsets=[joint.offset for joint in joints],
            name=kind,
        ).with_named_parts()
    except ValueError as e:
        raise DataError(f"{name}: {e}") from e


def check_motion_size(
    num_frames: int, num_joints: int, size: int, name: str
) -> None:
    r"""Refuses a file whose positions would take many times its size, because
    most of its joints never turn.
    """
    if num_frames * num_joints > size:
        raise DataError(
            f"{name}: {num_frames} frames of {num_joints} joints do not fit "
            f"in its {size} bytes"
        )


def check_length(joint: str, at: str) -> str:
    r"""The name of a joint, unless it is longer than 200 characters: names of
    end sites are derived from it.
    """
    if len(joint) > LONGEST_NAME:
        raise DataError(
            f"{at}: the name {joint[:40]!r}... has {len(joint)} characters, "
            f"more than {LONGEST_NAME}"
        )
    return joint


def select_joints(
    joints: Sequence[str], skeleton: Skeleton, name: str
) -> list[int]:
    r"""Finds the joints of a skeleton among those of a file, by name.

    Args:
        joints: The names of the joints of the file.
        skeleton: The skeleton.
        name: The name of the file in error messages.

    Returns:
        The index in the file of each joint of the skeleton.

    Raises:
        DataError: If the file lacks joints of the skeleton.
    """
    lacking = [joint for joint in skeleton.joints if joint not in joints]
    if lacking:
        raise DataError(
            f"{name} lacks {', '.join(lacking[:10])} of {skeleton!r}; it has "
            f"{', '.join(joints[:50])}. `symgnn-pyg convert --to` matches "
            f"joints of other names"
        )
    return [joints.index(joint) for joint in skeleton.joints]

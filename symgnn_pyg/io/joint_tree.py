"""What motion capture formats have in common: a tree of joints that turn."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.npy import check_finite
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.kinematics import place_joints

# Against files that describe more than any body has.
MOST_JOINTS = 500
LONGEST_NAME = 200


def joint_positions(
    parents: Sequence[int],
    offsets: Iterable[Tensor],
    rotations: Iterable[Tensor | None],
    num_frames: int,
    where: str,
) -> np.ndarray:
    r"""Joint positions by forward kinematics, see
    :func:`~symgnn_pyg.skeleton.kinematics.place_joints`.

    Args:
        parents: The parent of each joint, which stands before it; -1 for the
            root.
        offsets: The position of each joint relative to its parent, of shape
            :math:`[3]` or :math:`[T, 3]`.
        rotations: The rotation matrices of each joint relative to its parent,
            of shape :math:`[T, 3, 3]`, or :obj:`None` for a joint that does
            not turn.
        num_frames: The number of frames :math:`T`.
        where: The name of the file, for messages.

    Returns:
        The positions, of shape :math:`[T, V, 3]`.

    Raises:
        DataError: If a position is not finite, since numbers are too large.
    """
    placed = place_joints(parents, offsets, rotations)
    position = torch.stack([p.expand(num_frames, 3) for p in placed], dim=1)
    check_finite(position.numpy(), where)
    return position.numpy()


def tree_skeleton(
    joints: Sequence[str],
    parents: Sequence[int],
    offsets: Sequence[Sequence[float]],
    name: str,
    where: str,
) -> Skeleton:
    r"""The skeleton of a file.

    Args:
        joints: The names of the joints.
        parents: The parent of each; -1 for the root.
        offsets: The rest pose, in the unit of the file.
        name: What to call it.
        where: The name of the file, for messages.

    Raises:
        DataError: If the joints are no skeleton.
    """
    if len(joints) > MOST_JOINTS:
        raise DataError(
            f"{where}: {len(joints)} joints are more than the {MOST_JOINTS} "
            f"of any body"
        )
    bones = [(j, parent) for j, parent in enumerate(parents) if parent >= 0]
    try:
        return Skeleton(joints, bones, offsets=offsets, name=name)
    except ValueError as e:
        raise DataError(f"{where}: {e}") from e


def check_motion_size(
    num_frames: int, num_joints: int, size: int, where: str
) -> None:
    r"""Refuses a file whose positions would be many times its size, since
    most of its joints never turn.

    Args:
        num_frames: The number of frames.
        num_joints: The number of joints.
        size: The size of the file, in bytes.
        where: Its name, for messages.
    """
    if num_frames * num_joints > size:
        raise DataError(
            f"{where}: {num_frames} frames of {num_joints} joints are more "
            f"than {size} bytes can tell"
        )


def check_length(name: str, at: str) -> str:
    r"""A name, which others are made from, if it is not too long.

    Args:
        name: The name.
        at: The file and the line, for messages.

    Raises:
        DataError: If it is longer than 200 characters.
    """
    if len(name) > LONGEST_NAME:
        raise DataError(
            f"{at}: the name {name[:40]!r}... has {len(name)} characters, "
            f"more than {LONGEST_NAME}"
        )
    return name


def read_numbers(words: Sequence[str], count: int, at: str) -> list[float]:
    r"""The numbers that some words are.

    Args:
        words: The words.
        count: How many there must be.
        at: The file and the line, for messages.

    Raises:
        DataError: If there are more or fewer, or one is no finite number.
    """
    if len(words) != count:
        raise DataError(f"{at}: {len(words)} numbers, expected {count}")
    numbers = []
    for word in words:
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise DataError(f"{at}: {word[:40]!r} is no finite number")
        numbers.append(number)
    return numbers

import io
import re
from typing import Any, NamedTuple

import numpy as np
import roma
import torch

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.cells import read_numbers
from symgnn_pyg.io.csv import read_table
from symgnn_pyg.io.joint_tree import (
    MOST_JOINTS,
    Motion,
    TreeJoint,
    check_length,
    check_motion_size,
    joint_offset,
    joint_positions,
    joint_rotation,
    tree_skeleton,
)
from symgnn_pyg.io.limits import File, read_text
from symgnn_pyg.io.npy import check_finite
from symgnn_pyg.skeleton import Skeleton

HEADING = re.compile(r"\s*(frames|frame\s+time)\s*:(.*)", re.I | re.S)
CHANNEL = re.compile(r"([XYZ])(position|rotation)", re.I)


class BVHHeader(NamedTuple):
    r"""What a BVH file says before its frames.

    Args:
        joints: The joints.
        skeleton: The skeleton they form.
        num_frames: The number of frames.
        frame_rate: The frames per second.
        num_lines: The number of lines of the header.
        num_bytes: The number of bytes of the header.
    """

    joints: list[TreeJoint]
    skeleton: Skeleton
    num_frames: int
    frame_rate: float
    num_lines: int
    num_bytes: int


def read_bvh(file: File, name: str = "") -> Motion:
    r"""Reads a BVH file: joint positions by forward kinematics.

    A joint's rotations are applied in the order of its channels, in degrees,
    each about the axes that the previous ones have turned:

    .. math::
        \mathbf{R}_i = \mathbf{R}_{p(i)} \mathbf{R}_{c_1} \mathbf{R}_{c_2}
        \mathbf{R}_{c_3}, \qquad \mathbf{x}_i = \mathbf{x}_{p(i)} +
        \mathbf{R}_{p(i)} \mathbf{o}_i

    Position channels replace the joint's offset :math:`\mathbf{o}_i`, since
    programs write the same numbers in both.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Returns:
        The positions in the unit of the file, of shape :math:`[T, V, 3]`, the
        skeleton, and the frames per second. An end site is a joint too, named
        after the joint it ends: :obj:`"head end"`.

    Raises:
        DataError: If it is not a BVH file; the message names the line.
        EmptyRecordingError: If it has no frames.
    """
    header, table, name = _read(file, name)
    frames = joint_positions(header.joints, table, "intrinsic", True, name)
    return Motion(frames, header.skeleton, header.frame_rate)


def read_bvh_rotations(file: File, name: str = "") -> tuple[Motion, np.ndarray]:
    r"""Reads a BVH file: the rotations that it holds, for
    :func:`~symgnn_pyg.skeleton.forward_kinematics` and :func:`write_bvh`.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Returns:
        The rotation vector (exponential map) of each joint relative to its
        parent, in radians, of shape :math:`[T, V, 3]`, with the skeleton and
        the frames per second; and the position of each joint relative to its
        parent, before the parent's rotation, in the unit of the file, of shape
        :math:`[T, V, 3]`. End sites do not rotate.

    Raises:
        DataError: If it is not a BVH file; the message names the line.
        EmptyRecordingError: If it has no frames.
    """
    header, channels, name = _read(file, name)
    table = torch.from_numpy(channels)
    columns = table.split([len(j.channels) for j in header.joints], dim=1)
    rotation = table.new_zeros(len(table), len(header.joints), 3)
    translation = torch.empty_like(rotation)
    for i, joint in enumerate(header.joints):
        translation[:, i] = joint_offset(joint, columns[i])
        matrix = joint_rotation(joint, columns[i], "intrinsic", True)
        if matrix is not None:
            rotation[:, i] = roma.rotmat_to_rotvec(matrix)
    for numbers in (rotation, translation):
        check_finite(numbers.numpy(), name)
    motion = Motion(rotation.numpy(), header.skeleton, header.frame_rate)
    return motion, translation.numpy()


def read_bvh_header(file: File, name: str = "") -> BVHHeader:
    r"""Reads what stands before the frames of a BVH file.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Raises:
        DataError: If it is not a BVH file; the message names the line.
    """
    return _read_header(*read_text(file, name))


def _read_header(content: bytes, name: str) -> BVHHeader:
    parser = _Parser()
    stream = io.BytesIO(content)
    for number, line in enumerate(stream, start=1):
        for text in re.split(r"([{}])", line.decode(errors="replace")):
            if words := _words(text):
                parser.read(words, f"{name}, line {number}")
        if parser.frame_time is not None:
            return BVHHeader(
                parser.joints,
                tree_skeleton(parser.joints, "bvh", name),
                parser.num_frames or 0,
                1.0 / parser.frame_time,
                number,
                stream.tell(),
            )
    raise DataError(
        f"{name} ends before 'Frame Time:'; it is truncated or not a BVH file"
    )


def _words(text: str) -> list[str]:
    if heading := HEADING.match(text):
        return ["".join(heading[1].split()) + ":", *heading[2].split()]
    return text.split()


class _Parser:
    def __init__(self) -> None:
        self.joints: list[TreeJoint] = []
        # The indices of the joints whose braces are open, the innermost last.
        self.open: list[int] = []
        self.ends: set[int] = set()
        # Whether the last joint still lacks its opening brace.
        self.declared = False
        self.num_frames: int | None = None
        self.frame_time: float | None = None

    def read(self, words: list[str], at: str) -> None:
        match [words[0].upper(), *words[1:]]:
            case ["HIERARCHY"] | ["MOTION"]:
                pass
            case ["ROOT", _, *_] if not self.joints:
                self._declare(check_length(" ".join(words[1:]), at), at)
            case ["ROOT", _, *_]:
                raise DataError(
                    f"{at}: a second ROOT; split the file into one per skeleton"
                )
            case ["JOINT", _, *_] if self._has_room():
                self._declare(check_length(" ".join(words[1:]), at), at)
            case ["END", *_] if self._has_room():
                self.ends.add(len(self.joints))
                self._declare(self._end_name(), at)
            case ["{"] if self.declared:
                self.open.append(len(self.joints) - 1)
                self.declared = False
            case ["}"] if self.open and not self.declared:
                closed = self.joints[self.open.pop()]
                if not closed.offset:
                    raise DataError(f"{at}: {closed.name!r} has no OFFSET")
            case ["OFFSET", *numbers] if self.open and not self.declared:
                self._update(offset=read_numbers(numbers, 3, at))
            case ["CHANNELS", *channels] if self.open and not self.declared:
                self._set_channels(channels, at)
            case ["FRAMES:", *count] if self._is_complete():
                (number,) = read_numbers(count, 1, at)
                if number < 0 or number != int(number):
                    raise DataError(
                        f"{at}: expected a number of frames, got {count[0]}"
                    )
                self.num_frames = int(number)
            case ["FRAMETIME:", *time] if self.num_frames is not None:
                (self.frame_time,) = read_numbers(time, 1, at)
                # A longer time is probably in milliseconds.
                if not 0 < self.frame_time < 5 or np.isinf(1 / self.frame_time):
                    raise DataError(
                        f"{at}: expected the time of a frame in seconds, "
                        f"larger than 0 and below 5, got {time[0]}"
                    )
            case _:
                raise DataError(f"{at}: unexpected {' '.join(words)[:40]!r}")

    def _is_complete(self) -> bool:
        return bool(self.joints) and not self.open and not self.declared

    def _has_room(self) -> bool:
        """Whether a joint may be declared here; an end site holds none."""
        return (
            bool(self.open)
            and not self.declared
            and self.open[-1] not in self.ends
        )

    def _declare(self, name: str, at: str) -> None:
        if len(self.joints) == MOST_JOINTS:
            raise DataError(f"{at}: more than {MOST_JOINTS} joints")
        parent = self.open[-1] if self.open else -1
        self.joints.append(TreeJoint(name, parent, ()))
        self.declared = True

    def _update(self, **changes: Any) -> None:
        """Changes the innermost open joint."""
        joint = self.open[-1]
        self.joints[joint] = self.joints[joint]._replace(**changes)

    def _end_name(self) -> str:
        name = f"{self.joints[self.open[-1]].name} end"
        count = sum(joint.name.startswith(name) for joint in self.joints)
        return f"{name} {count + 1}" if count else name

    def _set_channels(self, words: list[str], at: str) -> None:
        (count,) = read_numbers(words[:1], 1, at)
        names = words[1:]
        if count != len(names):
            raise DataError(
                f"{at}: {words[0]} channels declared, {len(names)} named"
            )
        for name in names:
            if not CHANNEL.fullmatch(name):
                raise DataError(
                    f"{at}: unknown channel {name!r}; expected Xposition, "
                    f"Xrotation, and so on for Y and Z"
                )
        if self.joints[self.open[-1]].channels:
            raise DataError(f"{at}: a second CHANNELS of the same joint")
        kinds = {"P": "t", "R": "r"}
        self._update(
            channels=tuple(
                kinds[name[1].upper()] + name[0].lower() for name in names
            )
        )


def _read(file: File, name: str) -> tuple[BVHHeader, np.ndarray, str]:
    """What stands before the frames, their channels, and the file's name."""
    content, name = read_text(file, name)
    header = _read_header(content, name)
    count = header.num_frames
    if not count:
        raise EmptyRecordingError(f"{name} has no frames")
    columns = sum(len(joint.channels) for joint in header.joints)
    if not columns:
        raise DataError(f"{name}: no joint has CHANNELS")
    check_motion_size(count, len(header.joints), len(content), name)
    # Blank lines in front keep the line numbers of messages right.
    rows = b"\n" * header.num_lines + content[header.num_bytes :]
    table = np.empty((0, columns))
    if rows.strip():
        table = read_table(rows, columns, name, delimiter=None)
    if len(table) != count:
        cure = "correct the number after 'Frames:'"
        if len(table) < count:
            cure = "it may be truncated"
        raise DataError(
            f"{name} announces {count} frames, but has {len(table)} rows; "
            f"{cure}"
        )
    return header, table, name

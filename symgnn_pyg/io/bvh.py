import io
import re
from typing import NamedTuple

import numpy as np
import roma
import torch
from torch import Tensor

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.joint_tree import (
    MOST_JOINTS,
    check_length,
    check_motion_size,
    joint_positions,
    read_numbers,
    tree_skeleton,
)
from symgnn_pyg.io.limits import check_lines
from symgnn_pyg.io.source import read_table
from symgnn_pyg.skeleton import Skeleton

HEADING = re.compile(r"\s*(frames|frame\s+time)\s*:(.*)", re.I | re.S)
BLANKS = bytes.maketrans(b"\t\r", b"  ")
CHANNEL = re.compile(r"([XYZ])(position|rotation)", re.I)


class BVHHierarchy(NamedTuple):
    r"""What a BVH file says before its frames.

    Args:
        skeleton: The joints, bones and offsets; an end site is a joint too,
            called after the joint it ends, :obj:`"head end"`.
        parents: The parent of each joint; -1 for the root.
        channels: The channels of each joint in the order of the file, such
            as :obj:`("Zrotation", "Xrotation", "Yrotation")`.
        num_frames: The number of frames.
        frame_time: The time of a frame, in seconds.
        num_lines: The number of lines before the first frame.
        num_bytes: The number of bytes before the first frame.
    """

    skeleton: Skeleton
    parents: tuple[int, ...]
    channels: tuple[tuple[str, ...], ...]
    num_frames: int
    frame_time: float
    num_lines: int
    num_bytes: int


def parse_bvh(content: bytes, where: str) -> np.ndarray:
    r"""The joint positions of a BVH file by forward kinematics, in the file's
    own unit of length, of shape :math:`[T, V, 3]`; :func:`read_bvh_hierarchy`
    gives the joints.

    A joint's rotations are applied in the order of its channels, each about
    the axes that the ones before have turned, in degrees. Position channels
    take the place of the joint's offset, as the programs have it that write
    the same numbers in both.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If it is no BVH file; the message names the line.
        EmptyRecordingError: If it has no frames.
    """
    hierarchy = read_bvh_hierarchy(content, where)
    table = torch.from_numpy(_read_motion(content, where, hierarchy))
    columns = table.split([len(c) for c in hierarchy.channels], dim=1)
    joints = list(zip(hierarchy.channels, columns, strict=True))
    rest = torch.tensor(hierarchy.skeleton.offsets, dtype=torch.double)
    return joint_positions(
        hierarchy.parents,
        (_offset(o, *joint) for o, joint in zip(rest, joints, strict=True)),
        (_rotation(*joint) for joint in joints),
        len(table),
        where,
    )


def read_bvh_hierarchy(content: bytes, where: str) -> BVHHierarchy:
    r"""The joints of a BVH file, and what its frames hold.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If it is no BVH file; the message names the line.
    """
    check_lines(content, where)
    tree = _Tree(where)
    stream = io.BytesIO(content)
    for number, line in enumerate(stream, start=1):
        for text in re.split(r"([{}])", line.decode(errors="replace")):
            if words := _words(text):
                tree.read(words, f"{where}, line {number}")
        if tree.frame_time is not None:
            return tree.finish(number, stream.tell())
    raise DataError(
        f"{where} ends before 'Frame Time:'; it is truncated or no BVH file"
    )


def _words(text: str) -> list[str]:
    if heading := HEADING.match(text):
        return ["".join(heading[1].split()) + ":", *heading[2].split()]
    return text.split()


class _Tree:
    def __init__(self, where: str) -> None:
        self.where = where
        self.joints: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float] | None] = []
        self.channels: list[tuple[str, ...]] = []
        self.open: list[int] = []
        self.ends: set[int] = set()
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
                    f"{at}: a second ROOT; split the file into one a skeleton"
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
                closed = self.open.pop()
                if self.offsets[closed] is None:
                    raise DataError(
                        f"{at}: {self.joints[closed]!r} has no OFFSET"
                    )
            case ["OFFSET", *numbers] if self.open and not self.declared:
                self.offsets[self.open[-1]] = read_numbers(numbers, 3, at)
            case ["CHANNELS", *channels] if self.open and not self.declared:
                self._set_channels(channels, at)
            case ["FRAMES:", *count] if self.joints and not self.open:
                (number,) = read_numbers(count, 1, at)
                if number < 0 or number != int(number):
                    raise DataError(f"{at}: {count[0]} is no number of frames")
                self.num_frames = int(number)
            case ["FRAMETIME:", *time] if self.num_frames is not None:
                (self.frame_time,) = read_numbers(time, 1, at)
            case _:
                raise DataError(f"{at}: unexpected {' '.join(words)[:40]!r}")

    def finish(self, num_lines: int, num_bytes: int) -> BVHHierarchy:
        assert self.num_frames is not None
        assert self.frame_time is not None
        offsets = [offset or [0.0, 0.0, 0.0] for offset in self.offsets]
        skeleton = tree_skeleton(
            self.joints, self.parents, offsets, "bvh", self.where
        )
        return BVHHierarchy(
            skeleton,
            tuple(self.parents),
            tuple(self.channels),
            self.num_frames,
            self.frame_time,
            num_lines,
            num_bytes,
        )

    def _has_room(self) -> bool:
        """Whether a joint may stand here, which nothing does in an end."""
        return (
            bool(self.open)
            and not self.declared
            and self.open[-1] not in self.ends
        )

    def _declare(self, name: str, at: str) -> None:
        if len(self.joints) == MOST_JOINTS:
            raise DataError(f"{at}: more than {MOST_JOINTS} joints")
        self.parents.append(self.open[-1] if self.open else -1)
        self.joints.append(name)
        self.offsets.append(None)
        self.channels.append(())
        self.declared = True

    def _end_name(self) -> str:
        name = f"{self.joints[self.open[-1]]} end"
        count = sum(joint.startswith(name) for joint in self.joints)
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
                    f"{at}: unknown channel {name!r}; there are Xposition, "
                    f"Xrotation, and so on for Y and Z"
                )
        joint = self.open[-1]
        if self.channels[joint]:
            raise DataError(f"{at}: a second CHANNELS of a joint")
        self.channels[joint] = tuple(
            name[0].upper() + name[1:].lower() for name in names
        )


def _read_motion(
    content: bytes, where: str, hierarchy: BVHHierarchy
) -> np.ndarray:
    if not hierarchy.num_frames:
        raise EmptyRecordingError(f"{where} has no frames")
    columns = sum(map(len, hierarchy.channels))
    if not columns:
        raise DataError(f"{where}: no joint has CHANNELS")
    count = hierarchy.num_frames
    check_motion_size(count, len(hierarchy.parents), len(content), where)
    rows = content[hierarchy.num_bytes :].translate(BLANKS)
    while b"  " in rows:
        rows = rows.replace(b"  ", b" ")
    rows = rows.replace(b" \n", b"\n").replace(b"\n ", b"\n").strip(b" ")
    # Blank lines in front, so that messages name the line of the file.
    rows = b"\n" * hierarchy.num_lines + rows.replace(b" ", b",")
    table = np.empty((0, columns))
    if rows.strip():
        table = read_table(rows, where, columns)
    if len(table) != count:
        raise DataError(
            f"{where} announces {count} frames, but has {len(table)}; it may "
            f"be truncated"
        )
    return table


def _offset(rest: Tensor, channels: tuple[str, ...], columns: Tensor) -> Tensor:
    places = [
        ("XYZ".index(name[0]), i)
        for i, name in enumerate(channels)
        if name.endswith("position")
    ]
    if not places:
        return rest
    offset = rest.repeat(len(columns), 1)
    for axis, i in places:
        offset[:, axis] = columns[:, i]
    return offset


def _rotation(channels: tuple[str, ...], columns: Tensor) -> Tensor | None:
    turns = [i for i, name in enumerate(channels) if name.endswith("rotation")]
    if not turns:
        return None
    axes = "".join(channels[i][0] for i in turns)
    angles = list(columns[:, turns].unbind(dim=-1))
    return roma.euler_to_rotmat(axes, angles, degrees=True)

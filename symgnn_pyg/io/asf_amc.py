import io
import re
from collections.abc import Iterator
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
from symgnn_pyg.skeleton import Skeleton

ROOT = "root"
FREEDOMS = ("tx", "ty", "tz", "rx", "ry", "rz")


class ASFSkeleton(NamedTuple):
    r"""What an ASF file says of the body that its AMC files move.

    Args:
        skeleton: The joints, bones and offsets. A joint is called after the
            bone that starts there, and where a chain of bones ends there is
            one more, :obj:`"ltoes end"`.
        parents: The parent of each joint; -1 for the root.
        freedoms: What an AMC file holds of each joint, in its order, such as
            :obj:`("rx", "ry", "rz")`.
        axes: The axes that each joint turns about, as rotation matrices of
            shape :math:`[V, 3, 3]`.
        degrees: Whether angles are in degrees, where the AMC file does not
            say.
    """

    skeleton: Skeleton
    parents: tuple[int, ...]
    freedoms: tuple[tuple[str, ...], ...]
    axes: np.ndarray
    degrees: bool


def parse_amc(content: bytes, where: str, asf: ASFSkeleton) -> np.ndarray:
    r"""The joint positions of an AMC file by forward kinematics, of shape
    :math:`[T, V, 3]`:

    .. math::
        \mathbf{L}_i = \mathbf{C}_i \mathbf{M}_i \mathbf{C}_i^{\top}

    where :math:`\mathbf{C}_i` are the axes of a bone and :math:`\mathbf{M}_i`
    is its motion, the rotations applied in the order of the file, each about
    axes that stay. Positions are in the unit of both files: the ASF file's
    :obj:`length` says what it was multiplied by, 0.45 an inch for CMU Mocap,
    whose positions times :math:`0.0254 / 0.45` are in metres.

    Args:
        content: The content of the AMC file.
        where: Its name, for messages.
        asf: The skeleton, from :func:`parse_asf`.

    Raises:
        DataError: If it is no AMC file of that skeleton; the message names
            the line.
        EmptyRecordingError: If it has no frames.
    """
    motion, degrees = _read_frames(content, where, asf)
    table = torch.from_numpy(motion)
    columns = table.split([len(f) for f in asf.freedoms], dim=1)
    axes = torch.from_numpy(asf.axes)
    rest = torch.tensor(asf.skeleton.offsets, dtype=torch.double)
    joints = list(zip(asf.freedoms, columns, strict=True))
    offsets = list(rest)
    offsets[0] = _translation(*joints[0])
    return joint_positions(
        asf.parents,
        offsets,
        (
            _rotation(*joint, axis, degrees)
            for joint, axis in zip(joints, axes, strict=True)
        ),
        len(table),
        where,
    )


def parse_asf(content: bytes, where: str) -> ASFSkeleton:
    r"""The skeleton of an ASF file.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If it is no ASF file; the message names the line.
    """
    body = _Body(where)
    section = ""
    for at, words in _lines(content, where):
        if words[0].startswith(":"):
            section, words = words[0].lower(), words[1:]
        if words and words[0] not in ("begin", "end"):
            body.read(section, words, at)
        elif words == ["begin"] and section == ":bonedata":
            body.bones.append(_Bone(at))
    return body.finish()


def _lines(content: bytes, where: str) -> Iterator[tuple[str, list[str]]]:
    check_lines(content, where)
    for number, line in enumerate(io.BytesIO(content), start=1):
        text = line.decode(errors="replace").partition("#")[0]
        # The format counts commas and parentheses as blanks.
        if words := re.sub(r"[,()]", " ", text).split():
            yield f"{where}, line {number}", words


class _Bone:
    def __init__(self, at: str) -> None:
        self.at = at
        self.name = ""
        self.direction: list[float] = []
        self.length: float | None = None
        self.axis = [0.0, 0.0, 0.0]
        self.freedoms: tuple[str, ...] = ()

    def read(self, words: list[str], at: str) -> None:
        match words:
            case ["name", name]:
                self.name = check_length(name, at)
            case ["direction", *numbers]:
                self.direction = read_numbers(numbers, 3, at)
            case ["length", *numbers]:
                (self.length,) = read_numbers(numbers, 1, at)
            case ["axis", *numbers, order]:
                self.axis = read_numbers(numbers, 3, at)
                # Programs disagree about which angle comes first in others.
                if order.lower() != "xyz":
                    raise DataError(
                        f"{at}: an order of axes other than XYZ is not read; "
                        f"export the motion anew with it"
                    )
            case ["dof", *freedoms]:
                self.freedoms = _freedoms(freedoms, FREEDOMS[3:], at)

    def end(self) -> list[float]:
        length = self.length or 0.0
        return [length * x for x in self.direction or (0.0, 0.0, 0.0)]


class _Body:
    def __init__(self, where: str) -> None:
        self.where = where
        self.degrees: bool | None = None
        self.bones: list[_Bone] = []
        self.root = _Bone(where)
        self.children: dict[str, list[str]] = {}

    def read(self, section: str, words: list[str], at: str) -> None:
        match section, words:
            case ":units", ["angle", unit]:
                self.degrees = _is_degrees(unit, at)
            case ":root", ["order", *freedoms]:
                self.root.freedoms = _freedoms(freedoms, FREEDOMS, at)
            case ":root", ["position" | "orientation" as key, *numbers]:
                # Programs disagree about what comes first, these or motion.
                if any(read_numbers(numbers, 3, at)):
                    raise DataError(
                        f"{at}: a root {key} other than 0 0 0 is not read; "
                        f"export the motion anew without"
                    )
            case ":bonedata", _:
                if not self.bones:
                    raise DataError(f"{at}: expected 'begin'")
                self.bones[-1].read(words, at)
            case ":hierarchy", [parent, *children]:
                self.children.setdefault(parent, []).extend(children)

    def finish(self) -> ASFSkeleton:
        if not self.root.freedoms:
            raise DataError(
                f"{self.where} has no :root with an order; it is no ASF file"
            )
        if self.degrees is None:
            raise DataError(f"{self.where}: :units do not say angle deg or rad")
        if len(self.bones) > MOST_JOINTS:
            raise DataError(f"{self.where}: more than {MOST_JOINTS} bones")
        bones = {ROOT: self.root}
        for bone in self.bones:
            if not (bone.name and bone.direction) or bone.length is None:
                raise DataError(
                    f"{bone.at}: a bone without name, direction or length"
                )
            if bones.setdefault(bone.name, bone) is not bone:
                raise DataError(f"{bone.at}: a second bone {bone.name!r}")
        return self._tree(bones, self.degrees)

    def _tree(self, bones: dict[str, _Bone], degrees: bool) -> ASFSkeleton:
        joints: list[str] = []
        parents: list[int] = []
        offsets: list[list[float]] = []
        turning: list[_Bone] = []
        end = _Bone(self.where)
        waiting = [(ROOT, -1)]
        while waiting:
            name, parent = waiting.pop()
            if name in joints:
                raise DataError(
                    f"{self.where}: {name!r} stands twice in the :hierarchy"
                )
            if name not in bones:
                raise DataError(
                    f"{self.where}: {name!r} of the :hierarchy is no bone"
                )
            at = len(joints)
            joints.append(name)
            parents.append(parent)
            offsets.append(turning[parent].end() if parent >= 0 else end.end())
            turning.append(bones[name])
            children = self.children.get(name, [])
            waiting.extend((child, at) for child in reversed(children))
            if not children and name != ROOT:
                joints.append(f"{name} end")
                parents.append(at)
                offsets.append(bones[name].end())
                turning.append(end)
        loose = [name for name in bones if name not in joints]
        if loose:
            raise DataError(
                f"{self.where}: the :hierarchy lacks {', '.join(loose[:10])}"
            )
        skeleton = tree_skeleton(joints, parents, offsets, "asf", self.where)
        return ASFSkeleton(
            skeleton,
            tuple(parents),
            tuple(bone.freedoms for bone in turning),
            np.stack([_axes(bone, degrees) for bone in turning]),
            degrees,
        )


def _axes(bone: _Bone, degrees: bool) -> np.ndarray:
    angles = torch.tensor(bone.axis, dtype=torch.double)
    return roma.euler_to_rotmat("xyz", angles, degrees=degrees).numpy()


def _read_frames(
    content: bytes, where: str, asf: ASFSkeleton
) -> tuple[np.ndarray, bool]:
    degrees = asf.degrees
    ends = np.cumsum([len(f) for f in asf.freedoms]).tolist()
    places = {
        name: (end - len(freedoms), end)
        for name, freedoms, end in zip(
            asf.skeleton.joints, asf.freedoms, ends, strict=True
        )
        if freedoms
    }
    frames: list[np.ndarray] = []
    number, missing, begun = 0.0, set(places), ""
    for at, words in _lines(content, where):
        if words[0].startswith(":"):
            if words[0].lower() in (":degrees", ":radians"):
                degrees = words[0].lower() == ":degrees"
            continue
        if len(words) == 1:
            _check_complete(frames, missing, begun)
            (next_number,) = read_numbers(words, 1, at)
            if frames and next_number != number + 1:
                raise DataError(
                    f"{at}: frame {words[0]} follows frame {number:g}"
                )
            check_motion_size(
                len(frames) + 1, len(asf.parents), len(content), where
            )
            number, missing, begun = next_number, set(places), at
            frames.append(np.empty(ends[-1]))
            continue
        name, *numbers = words
        if not frames:
            raise DataError(f"{at}: {name!r} stands before the first frame")
        if name not in places:
            raise DataError(f"{at}: the ASF file has no moving bone {name!r}")
        if name not in missing:
            raise DataError(f"{at}: a second {name!r} in frame {number:g}")
        first, last = places[name]
        frames[-1][first:last] = read_numbers(numbers, last - first, at)
        missing.remove(name)
    _check_complete(frames, missing, begun)
    if not frames:
        raise EmptyRecordingError(f"{where} has no frames")
    return np.stack(frames), degrees


def _check_complete(
    frames: list[np.ndarray], missing: set[str], begun: str
) -> None:
    if frames and missing:
        raise DataError(
            f"{begun}: the frame lacks {', '.join(sorted(missing)[:10])}; the "
            f"file may be truncated"
        )


def _freedoms(
    words: list[str], known: tuple[str, ...], at: str
) -> tuple[str, ...]:
    freedoms = tuple(word.lower() for word in words)
    for freedom in freedoms:
        if freedom not in known or freedoms.count(freedom) > 1:
            raise DataError(
                f"{at}: {freedom!r} is unknown or named twice; there are "
                f"{', '.join(known)}"
            )
    return freedoms


def _is_degrees(unit: str, at: str) -> bool:
    if unit.lower() not in ("deg", "rad"):
        raise DataError(f"{at}: the angle {unit!r} is neither deg nor rad")
    return unit.lower() == "deg"


def _translation(freedoms: tuple[str, ...], columns: Tensor) -> Tensor:
    offset = columns.new_zeros(len(columns), 3)
    for i, freedom in enumerate(freedoms):
        if freedom[0] == "t":
            offset[:, "xyz".index(freedom[1])] = columns[:, i]
    return offset


def _rotation(
    freedoms: tuple[str, ...], columns: Tensor, axes: Tensor, degrees: bool
) -> Tensor | None:
    turns = [i for i, freedom in enumerate(freedoms) if freedom[0] == "r"]
    if not turns:
        return None
    order = "".join(freedoms[i][1] for i in turns)
    angles = list(columns[:, turns].unbind(dim=-1))
    motion = roma.euler_to_rotmat(order, angles, degrees=degrees)
    return axes @ motion @ axes.mT

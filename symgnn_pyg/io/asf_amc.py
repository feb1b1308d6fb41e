import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import roma
import torch

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.cells import read_numbers
from symgnn_pyg.io.joint_tree import (
    MOST_JOINTS,
    Motion,
    TreeJoint,
    check_length,
    check_motion_size,
    joint_positions,
    tree_skeleton,
)
from symgnn_pyg.io.limits import File, read_text
from symgnn_pyg.skeleton import Skeleton

ROOT = "root"
CHANNELS = ("tx", "ty", "tz", "rx", "ry", "rz")


class ASF(NamedTuple):
    r"""The body that an ASF file describes and its AMC files move.

    Args:
        skeleton: The joints, bones and offsets. A joint has the name of the
            bone that starts there; where a chain of bones ends there is one
            more, such as :obj:`"ltoes end"`.
        joints: What AMC files hold of each joint.
        degrees: Whether angles are in degrees if the AMC file does not say.
    """

    skeleton: Skeleton
    joints: list[TreeJoint]
    degrees: bool


def read_asf_amc(asf: File | ASF, amc: File, name: str = "") -> Motion:
    r"""Reads a motion in the format of Acclaim: joint positions by forward
    kinematics, where joint :math:`i` turns by

    .. math::
        \mathbf{L}_i = \mathbf{C}_i \mathbf{M}_i \mathbf{C}_i^{\top}

    with the axes :math:`\mathbf{C}_i` of its bone from the ASF file and the
    rotations :math:`\mathbf{M}_i` from the AMC file, applied in the order of
    the file, each about fixed axes.

    Args:
        asf: The path of the ASF file, its content, or what :func:`read_asf`
            made of it.
        amc: The path of the AMC file, or its content.
        name: The name of the AMC file in error messages.
            (default: its path)

    Returns:
        The positions, of shape :math:`[T, V, 3]`, and the skeleton. AMC files
        do not say their frame rate. Positions are in the unit of both files,
        which the ASF file's :obj:`length` describes: for CMU Mocap 0.45 per
        inch, so that positions times :math:`0.0254 / 0.45` are in metres.

    Raises:
        DataError: If a file is not of that format, or they do not belong
            together; the message names the line.
        EmptyRecordingError: If there are no frames.
    """
    body = asf if isinstance(asf, ASF) else read_asf(asf)
    content, name = read_text(amc, name)
    table, degrees = _read_frames(content, name, body)
    frames = joint_positions(body.joints, table, "extrinsic", degrees, name)
    return Motion(frames, body.skeleton)


def read_asf(file: File, name: str = "") -> ASF:
    r"""Reads an ASF file: the body that AMC files move.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Raises:
        DataError: If it is not an ASF file; the message names the line.
    """
    content, name = read_text(file, name)
    degrees: bool | None = None
    root = _Bone(name)
    bones: list[_Bone] = []
    children: dict[str, list[str]] = {}
    section = ""
    for at, words in _lines(content, name):
        if words[0].startswith(":"):
            section, words = words[0].lower(), words[1:]
        match section, words:
            case ":bonedata", ["begin"]:
                bones.append(_Bone(at))
            case _, [] | ["begin" | "end", *_]:
                pass
            case ":units", ["angle", unit]:
                if unit.lower() not in ("deg", "rad"):
                    raise DataError(
                        f"{at}: expected the angle deg or rad, got {unit!r}"
                    )
                degrees = unit.lower() == "deg"
            case ":root", ["order", *channels]:
                root.channels = _channels(channels, CHANNELS, at)
            case ":root", ["position" | "orientation" as key, *numbers]:
                # Programs disagree whether these or the motion apply first.
                if any(read_numbers(numbers, 3, at)):
                    raise DataError(
                        f"{at}: expected the root {key} 0 0 0, got "
                        f"{' '.join(numbers)}; export the motion again with it "
                        f"at 0 0 0"
                    )
            case ":bonedata", _:
                if not bones:
                    raise DataError(f"{at}: expected 'begin'")
                bones[-1].read(words, at)
            case ":hierarchy", [parent, *others]:
                children.setdefault(parent, []).extend(others)
    if not root.channels:
        raise DataError(
            f"{name} has no :root with an order; it is not an ASF file"
        )
    if degrees is None:
        raise DataError(f"{name}: :units must say 'angle deg' or 'angle rad'")
    joints = _joints(root, bones, children, degrees, name)
    return ASF(tree_skeleton(joints, "asf", name), joints, degrees)


def _lines(content: bytes, name: str) -> Iterator[tuple[str, list[str]]]:
    for number, line in enumerate(io.BytesIO(content), start=1):
        text = line.decode(errors="replace").partition("#")[0]
        # The format treats commas and parentheses as blanks.
        if words := re.sub(r"[,()]", " ", text).split():
            yield f"{name}, line {number}", words


class _Bone:
    def __init__(self, at: str) -> None:
        self.at = at
        self.name = ""
        self.direction: list[float] = []
        self.length: float | None = None
        self.axis = [0.0, 0.0, 0.0]
        self.channels: tuple[str, ...] = ()

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
                # For other orders, programs disagree which angle comes first.
                if order.lower() != "xyz":
                    raise DataError(
                        f"{at}: expected axes in the order XYZ, got {order}; "
                        f"export the motion again with XYZ"
                    )
            case ["dof", *channels]:
                self.channels = _channels(channels, CHANNELS[3:], at)

    def end(self) -> list[float]:
        length = self.length or 0.0
        return [length * x for x in self.direction or (0.0, 0.0, 0.0)]


def _joints(
    root: _Bone,
    bones: Sequence[_Bone],
    children: Mapping[str, Sequence[str]],
    degrees: bool,
    name: str,
) -> list[TreeJoint]:
    """The joints where bones start, and those where chains of bones end."""
    if len(bones) > MOST_JOINTS:
        raise DataError(f"{name}: more than {MOST_JOINTS} bones")
    named = {ROOT: root}
    for bone in bones:
        if not (bone.name and bone.direction) or bone.length is None:
            raise DataError(
                f"{bone.at}: a bone without name, direction or length"
            )
        if named.setdefault(bone.name, bone) is not bone:
            raise DataError(f"{bone.at}: a second bone {bone.name!r}")
    joints: list[TreeJoint] = []
    places: dict[str, int] = {}
    waiting = [(ROOT, -1)]
    while waiting:
        joint, parent = waiting.pop()
        if joint in places:
            raise DataError(f"{name}: the :hierarchy lists {joint!r} twice")
        if joint not in named:
            raise DataError(
                f"{name}: the :hierarchy lists {joint!r}, but :bonedata has no "
                f"such bone"
            )
        bone = named[joint]
        start = [0.0, 0.0, 0.0]
        if parent >= 0:
            start = named[joints[parent].name].end()
        places[joint] = len(joints)
        angles = torch.tensor(bone.axis, dtype=torch.double)
        axes = roma.euler_to_rotmat("xyz", angles, degrees=degrees).numpy()
        joints.append(TreeJoint(joint, parent, start, bone.channels, axes))
        others = children.get(joint, [])
        waiting.extend((other, places[joint]) for other in reversed(others))
        if not others and joint != ROOT:
            joints.append(TreeJoint(f"{joint} end", places[joint], bone.end()))
    loose = named.keys() - places.keys()
    if loose:
        raise DataError(
            f"{name}: the :hierarchy lacks {', '.join(sorted(loose)[:10])}"
        )
    return joints


def _read_frames(
    content: bytes, name: str, asf: ASF
) -> tuple[np.ndarray, bool]:
    degrees = asf.degrees
    ends = np.cumsum([len(joint.channels) for joint in asf.joints]).tolist()
    places = {
        joint.name: (end - len(joint.channels), end)
        for joint, end in zip(asf.joints, ends, strict=True)
        if joint.channels
    }
    frames: list[np.ndarray] = []
    number, missing, begun = 0.0, set[str](), ""
    for at, words in _lines(content, name):
        if words[0].startswith(":"):
            if words[0].lower() in (":degrees", ":radians"):
                degrees = words[0].lower() == ":degrees"
            continue
        if len(words) == 1:
            _check_complete(missing, begun)
            (next_number,) = read_numbers(words, 1, at)
            if frames and next_number != number + 1:
                raise DataError(
                    f"{at}: frame {words[0]} follows frame {number:g}"
                )
            check_motion_size(
                len(frames) + 1, len(asf.joints), len(content), name
            )
            number, missing, begun = next_number, set(places), at
            frames.append(np.empty(ends[-1]))
            continue
        bone, *numbers = words
        if not frames:
            raise DataError(f"{at}: {bone!r} stands before the first frame")
        if bone not in places:
            raise DataError(f"{at}: the ASF file has no moving bone {bone!r}")
        if bone not in missing:
            raise DataError(f"{at}: a second {bone!r} in frame {number:g}")
        first, last = places[bone]
        frames[-1][first:last] = read_numbers(numbers, last - first, at)
        missing.remove(bone)
    _check_complete(missing, begun)
    if not frames:
        raise EmptyRecordingError(f"{name} has no frames")
    return np.stack(frames), degrees


def _check_complete(missing: set[str], begun: str) -> None:
    if missing:
        raise DataError(
            f"{begun}: the frame lacks {', '.join(sorted(missing)[:10])}; the "
            f"file may be truncated"
        )


def _channels(
    words: list[str], known: tuple[str, ...], at: str
) -> tuple[str, ...]:
    channels = tuple(word.lower() for word in words)
    for channel in channels:
        if channel not in known or channels.count(channel) > 1:
            raise DataError(
                f"{at}: expected each of {', '.join(known)} at most once, got "
                f"{' '.join(words)[:60]}"
            )
    return channels

r"""The sides of the body, inferred from the names of joints."""

import re
from collections.abc import Set
from typing import Literal

import torch
from torch import Tensor

from symgnn_pyg.skeleton.skeleton import Skeleton

Side = Literal["left", "right", "middle"]

SWAPS = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "l": "r", "L": "R"}
SWAPS |= {right: left for left, right in SWAPS.items()}
WORD = re.compile(r"(?<![A-Za-z])(?:left|right)|Left|Right|LEFT|RIGHT")


def body_sides(skeleton: Skeleton) -> list[tuple[Side, str]]:
    r"""The side of the body that each joint is on, and the name of its
    counterpart on the other side, or its own name for a joint in the middle.

    Sides are inferred from the words left and right (``"left elbow"``,
    ``"LeftArm"``, ``"hip_left"``), whether or not there is a counterpart, or
    from a leading letter l or r (``"lfemur"``) if there is one. In a dual
    skeleton, the names of both ends of a bone count.

    Args:
        skeleton: The skeleton, which may be a dual one or have no sides.
    """
    joints = frozenset(skeleton.joints)
    ends = {end for joint in joints for end in joint.split("-")}
    return [_side(joint, joints, ends) for joint in skeleton.joints]


def mirrored_joints(skeleton: Skeleton) -> Tensor:
    r"""The counterpart of each joint on the other side of the body, or the
    joint itself if it is in the middle, of shape :math:`[V]`.

    Sides are inferred from names: from the words left and right
    (``"left elbow"``, ``"LeftArm"``, ``"hip_left"``) or from a leading letter
    l or r (``"lfemur"``). A letter only counts if there is a counterpart:
    ``"lamp"`` is in the middle unless there is a ``"ramp"``.

    Args:
        skeleton: The skeleton, which may be a dual one.

    Raises:
        ValueError: If a joint is named left or right, but its counterpart is
            missing.
    """
    index = {joint: j for j, joint in enumerate(skeleton.joints)}
    for joint, (_, partner) in zip(index, body_sides(skeleton), strict=True):
        if partner not in index:
            raise ValueError(
                f"Joint {joint!r} of {skeleton!r} has no counterpart "
                f"{partner!r} on the other side of the body; add it, or "
                f"choose a name without left or right for a joint in the "
                f"middle"
            )
    return torch.tensor([index[name] for _, name in body_sides(skeleton)])


def _side(joint: str, joints: Set[str], ends: Set[str]) -> tuple[Side, str]:
    if word := WORD.search(joint):
        partner = WORD.sub(lambda side: SWAPS[side.group()], joint)
        return _named(word.group()), partner
    own = joint.split("-")
    other = [_by_letter(end, ends) for end in own]
    partner = "-".join(other)
    if partner == joint or partner not in joints:
        return "middle", joint
    letter = next(a for a, b in zip(own, other, strict=True) if a != b)
    return _named(letter), partner


def _by_letter(end: str, ends: Set[str]) -> str:
    other = SWAPS.get(end[:1], end[:1]) + end[1:]
    return other if other in ends else end


def _named(side: str) -> Side:
    return "left" if side[0] in "lL" else "right"

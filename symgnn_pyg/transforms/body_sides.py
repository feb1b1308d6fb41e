r"""The sides of the body, told by the names of its joints."""

import re
from collections.abc import Set
from typing import Literal

from symgnn_pyg.skeleton import Skeleton

Side = Literal["left", "right", "middle"]

SWAPS = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "l": "r", "L": "R"}
SWAPS |= {right: left for left, right in SWAPS.items()}
WORD = re.compile(r"(?<![A-Za-z])(?:left|right)|Left|Right|LEFT|RIGHT")


def body_sides(skeleton: Skeleton) -> list[tuple[Side, str]]:
    r"""The side of the body that each joint is on, and the name that its
    partner on the other side has; for a joint in the middle, its own name.

    Sides are told by the words left and right (``"left elbow"``,
    ``"LeftArm"``, ``"hip_left"``), whether there is a partner or not, or by a
    leading letter l or r (``"lfemur"``) where there is one. In a dual
    skeleton, the names of both ends of a bone count.

    Args:
        skeleton: The skeleton; a dual one, or one without sides, too.
    """
    joints = frozenset(skeleton.joints)
    ends = {end for joint in joints for end in joint.split("-")}
    return [_side(joint, joints, ends) for joint in skeleton.joints]


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

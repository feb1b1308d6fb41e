r"""The left and the right of the body."""

import re
from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

if TYPE_CHECKING:
    from symgnn_pyg.skeleton import Skeleton

Side = Literal["left", "right", "middle"]

SWAPS = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "l": "r", "L": "R"}
SWAPS["左"] = "右"
SWAPS |= {right: left for left, right in SWAPS.items()}
# left_hip, hip_left, LeftArm, HandLeft, LEFT HAND, 左ひじ
WORD = re.compile(r"(?<![A-Za-z])(?:left|right)|Left|Right|LEFT|RIGHT|左|右")
LETTERS = (
    # Hand_L, upper_arm.R, Bip01 L Hand, hand_l_01
    re.compile(r"(?<![A-Za-z])[lrLR](?![A-Za-z])"),
    # FootL, armR2, LHand, lShldr
    re.compile(
        r"(?<=[a-z0-9])[LR](?![a-z])|(?<![A-Za-z])[lrLR](?=[A-Z][a-z0-9])"
    ),
    # armleft, shoulderright
    re.compile(r"(?:left|right)(?![A-Za-z])"),
)


def named_pairs(joints: Sequence[str]) -> list[tuple[int, int]]:
    r"""The pairs of left and right joints, found by their names.

    A name shows its side by the words left and right (:obj:`"left elbow"`,
    :obj:`"LeftArm"`, :obj:`"hip_left"`), by a separated or capital letter
    (:obj:`"Hand_L"`, :obj:`"upper_arm.R"`, :obj:`"FootL"`,
    :obj:`"Bip01 L Hand"`, :obj:`"lShldr"`), or by a leading letter
    (:obj:`"lfemur"`), but only if the other side exists: :obj:`"lamp"` is in
    the middle if there is no :obj:`"ramp"`. In the names of a dual skeleton,
    both ends of a bone count.
    """
    index = {joint: j for j, joint in enumerate(joints)}
    ends = {end for joint in joints for end in joint.split("-")}
    pairs = []
    for joint, j in index.items():
        side, partner = _named_side(joint, index.keys(), ends)
        if side == "left" and partner in index:
            pairs.append((j, index[partner]))
    return pairs


def body_sides(skeleton: "Skeleton") -> list[Side]:
    r"""The side of the body that each joint is on: that of its pair, or
    without one, that of the words left and right in its name.

    Args:
        skeleton: The skeleton; it may be dual, or have no sides.
    """
    sides: list[Side] = [
        _side_of(word.group()) if (word := WORD.search(joint)) else "middle"
        for joint in skeleton.joints
    ]
    for left, right in skeleton.pairs:
        sides[left], sides[right] = "left", "right"
    return sides


def mirrored_joints(skeleton: "Skeleton") -> Tensor:
    r"""For each joint the one on the other side of the body, and for a joint
    in the middle itself, of shape :math:`[V]`.

    Args:
        skeleton: The skeleton; it may be dual.

    Raises:
        ValueError: If a joint has the word left or right in its name, but is
            in no pair.
    """
    partner = list(range(skeleton.num_joints))
    for left, right in skeleton.pairs:
        partner[left], partner[right] = right, left
    for j, joint in enumerate(skeleton.joints):
        if partner[j] == j and WORD.search(joint):
            raise ValueError(
                f"Joint {joint!r} of {skeleton!r} is on one side of the body, "
                f"but has no counterpart {_swap(WORD, joint)!r} on the other; "
                f"add the two to 'pairs', or rename {joint!r} if it is in the "
                f"middle"
            )
    return torch.tensor(partner)


def _named_side(
    joint: str, joints: Set[str], ends: Set[str]
) -> tuple[Side, str]:
    if word := WORD.search(joint):
        return _side_of(word.group()), _swap(WORD, joint)
    for pattern in LETTERS:
        letter = pattern.search(joint)
        if letter and _swap(pattern, joint) in joints:
            return _side_of(letter.group()), _swap(pattern, joint)
    own = joint.split("-")
    other = [_by_letter(end, ends) for end in own]
    partner = "-".join(other)
    if partner == joint or partner not in joints:
        return "middle", joint
    letter_of = next(a for a, b in zip(own, other, strict=True) if a != b)
    return _side_of(letter_of), partner


def _swap(pattern: re.Pattern[str], joint: str) -> str:
    return pattern.sub(lambda found: SWAPS[found.group()], joint)


def _by_letter(end: str, ends: Set[str]) -> str:
    other = SWAPS.get(end[:1], end[:1]) + end[1:]
    return other if other in ends else end


def _side_of(side: str) -> Side:
    return "left" if side[0] in "lL左" else "right"

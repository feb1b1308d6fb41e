import re

import torch
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton

SWAPS = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "l": "r", "L": "R"}
SWAPS |= {right: left for left, right in SWAPS.items()}
WORD = re.compile(r"(?<![A-Za-z])(?:left|right)|Left|Right|LEFT|RIGHT")
# The bones of a dual skeleton, "child-parent", have a letter at both ends.
LETTER = re.compile(r"(?:^|(?<=-))[lrLR](?!(?i:ower|umbar|oot|ib))")


def mirrored_joints(skeleton: Skeleton) -> Tensor:
    r"""For each joint the one on the other side of the body, itself for a
    joint in the middle, of shape :math:`[V]`.

    Sides are told by name: by the words left and right (``"left elbow"``,
    ``"LeftArm"``, ``"hip_left"``) or by a leading letter l or r
    (``"lfemur"``). A letter means a side only where some joint has a partner
    by it, and never in names that begin with lower, lumbar, root or rib.

    Args:
        skeleton: The skeleton; a dual one too.

    Raises:
        ValueError: If the joint on the other side of one is missing.
    """
    joints = skeleton.joints
    by_word = [WORD.sub(_other, joint) for joint in joints]
    by_letter = [LETTER.sub(_other, joint) for joint in joints]
    lettered = any(
        other != joint and other in joints
        for joint, other in zip(joints, by_letter, strict=True)
    )
    partners = []
    for joint, word, letter in zip(joints, by_word, by_letter, strict=True):
        partner = letter if lettered and word == joint else word
        if partner not in joints:
            raise ValueError(
                f"Joint {joint!r} of {skeleton!r} is on one side of the body, "
                f"but there is no {partner!r} on the other; a joint in the "
                f"middle needs a name that is neither left nor right"
            )
        partners.append(joints.index(partner))
    return torch.tensor(partners)


def _other(side: re.Match[str]) -> str:
    return SWAPS[side.group()]

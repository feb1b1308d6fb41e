"""Body parts, found by the names of the joints."""

import re
from typing import TYPE_CHECKING

from symgnn_pyg.skeleton.paths import paths_to_roots
from symgnn_pyg.skeleton.sides import Side, body_sides

if TYPE_CHECKING:
    from symgnn_pyg.skeleton import Skeleton

PARTS = (
    "left thigh", "left crus", "right thigh", "right crus", "torso", "head",
    "left upper arm", "left forearm", "right upper arm", "right forearm",
)  # fmt: skip
# In this order, since a forearm is an arm, and has an ear in it.
LIMBS = (
    ("crus", "ankle|foot|toe|heel"),
    ("forearm", "wrist|hand|finger|thumb|index|middle|ring|pinky|pinkie|palm"),
    ("upper arm", "arm|shoulder|shldr|clavicle|collar|humer|elbow|radius|ulna"),
    ("thigh", "hip|leg|thigh|femur|knee|tibia|calf|shin"),
)  # fmt: skip
TORSO = "hip|pelvis|root|spine|chest|thorax|torso|back|abdomen|waist|shoulder"
HEAD = "head|neck|nose|eye|ear|jaw|mouth|face|chin|brow|skull|lip"


def named_parts(skeleton: "Skeleton") -> dict[str, list[int]] | None:
    r"""The ten parts of the body, found by the names of joints: thighs (hips
    and knees), lower legs (ankles and feet), torso, head, upper arms
    (shoulders and elbows) and forearms (wrists and hands). A joint with any
    other name is in the part of its parent; parts without joints are left out.

    Returns:
        The joints of each part, or :obj:`None` if there are no names of limbs
        on both sides.
    """
    joints = skeleton.joints
    found = list(map(_part, joints, body_sides(skeleton)))
    for child, parent in skeleton.bones:
        # A neck that carries the arms is the top of the torso.
        if "upper arm" in found[child] and "neck" in joints[parent].lower():
            found[parent] = "torso"
    limbs = {part for part in found if part and part not in ("head", "torso")}
    if {part.partition(" ")[0] for part in limbs} != {"left", "right"}:
        return None
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    for j, path in enumerate(paths_to_roots(skeleton)):
        parts[next(filter(None, (found[i] for i in path)), "torso")].append(j)
    return {part: members for part, members in parts.items() if members}


def _part(joint: str, side: Side) -> str:
    name = joint.lower()
    if side == "middle":
        torso = "torso" if re.search(TORSO, name) else ""
        return "head" if re.search(HEAD, name) else torso
    for limb, pattern in LIMBS:
        if re.search(pattern, name) and not re.search("eye|face", name):
            return f"{side} {limb}"
    return "head" if re.search(HEAD, name) else ""

"""Positions from one skeleton to another."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symgnn_pyg.skeleton.as_skeleton import as_skeleton
from symgnn_pyg.skeleton.layouts import plain
from symgnn_pyg.skeleton.paths import paths_to_roots
from symgnn_pyg.skeleton.sides import LETTERS, WORD, body_sides
from symgnn_pyg.skeleton.skeleton import Skeleton

# The names of joints by place, without sides, blanks and marks.
SYNONYMS = {
    "hip": ("hip", "upleg", "upperleg", "thigh", "femur"),
    "knee": ("knee", "leg", "lowerleg", "calf", "shin", "tibia"),
    "ankle": ("ankle",),
    "foot": ("foot", "footindex", "toe", "toes", "toebase", "bigtoe"),
    "heel": ("heel",),
    "collar": ("collar", "clavicle"),
    "shoulder": ("shoulder", "arm", "upperarm", "humerus", "shldr"),
    "elbow": ("elbow", "forearm", "lowerarm", "radius"),
    "wrist": ("wrist", "handroot"),
    "hand": ("hand",),
    "eye": ("eye",),
    "ear": ("ear",),
    "pelvis": ("pelvis", "hips", "hip", "midhip", "hipcenter", "root",
               "baseofspine"),
    "spine": ("spine", "middleofspine"),
    "chest": ("chest", "thorax", "spine3"),
    "neck": ("neck", "shouldercenter", "lowerneck"),
    "head": ("head",),
    "nose": ("nose",),
}  # fmt: skip
SIDED, MIDDLE = list(SYNONYMS)[:12], list(SYNONYMS)[12:]
KNOWN = frozenset(name for names in SYNONYMS.values() for name in names)
# The mean of these joints replaces a joint that a skeleton does not have.
MEANS = {
    "pelvis": ("left hip", "right hip"),
    "neck": ("left shoulder", "right shoulder"),
    "chest": ("left shoulder", "right shoulder"),
    "head": ("left ear", "right ear"),
    "left hand": ("left wrist",),
    "right hand": ("right wrist",),
}


class Conversion(NamedTuple):
    r"""How the joints of one skeleton give those of another.

    Args:
        matrix: The weight of each source joint in each target joint, of shape
            :math:`[V_{\textrm{target}}, V_{\textrm{source}}]`.
        same: The source joint of each target joint that both have.
        averaged: The source joints whose mean each of these target joints is.
        made_up: The target joints that the source has no equivalent of: each
            is placed where the closest found joint above it is, or at the mean
            of the topmost found joints if none is above it.
        lost: The source joints that no target joint is made from.
    """

    matrix: Tensor
    same: Mapping[str, str]
    averaged: Mapping[str, Sequence[str]]
    made_up: Sequence[str]
    lost: Sequence[str]

    def __call__(self, x: Tensor, dim: int = 0) -> Tensor:
        r"""Converts positions. A target joint is missing (NaN) where one that
        it is made from is.

        Args:
            x: The positions, with the joints of the source along :obj:`dim`.
            dim: The dimension of the joints. (default: :obj:`0`)

        Raises:
            TypeError: If :obj:`x` does not hold floating-point numbers.
            ValueError: If :obj:`x` has another number of joints.
        """
        if not isinstance(x, Tensor) or not x.is_floating_point():
            raise TypeError(
                f"Expected 'x' as a tensor of floating-point numbers, got "
                f"{getattr(x, 'dtype', type(x).__name__)}; convert it with "
                f"torch.as_tensor(x).float()"
            )
        if x.size(dim) != self.matrix.size(1):
            raise ValueError(
                f"Expected {self.matrix.size(1)} joints along dimension {dim}, "
                f"got 'x' of shape {list(x.shape)}"
            )
        matrix, x = self.matrix.to(x), x.movedim(dim, -2)
        gaps = x.isnan()
        missing = matrix @ gaps.to(x) > 0
        # As a factor, NaN would spread to all joints.
        converted = matrix @ x.masked_fill(gaps, 0)
        return converted.masked_fill(missing, torch.nan).movedim(-2, dim)

    def __str__(self) -> str:
        means = (f"{a} = {' + '.join(b)}" for a, b in self.averaged.items())
        lines = (
            ("the same", [f"{a} = {b}" for a, b in self.same.items()]),
            ("averaged", list(means)),
            ("made up", list(self.made_up)),
            ("lost", list(self.lost)),
        )
        return "\n".join(
            f"{len(joints)} {what}: {', '.join(joints)}"
            for what, joints in lines
            if joints
        )


def conversion(source: Skeleton | str, target: Skeleton | str) -> Conversion:
    r"""Finds how to convert positions of one skeleton to another, such as those
    of a pose estimator for a network trained on another layout.

    Joints are matched by their names: first equal ones, then those that mean
    the same (:obj:`"lfemur"`, :obj:`"LeftUpLeg"` and :obj:`"left hip"`). A
    pelvis or a neck that the source lacks is the mean of the hips or
    shoulders. What remains is made up, and reported as such. Layouts differ in
    where exactly they put a joint: that is not corrected.

    Args:
        source: The skeleton of the positions.
        target: The skeleton to convert them to.

    Returns:
        The :class:`Conversion`, a function of positions; printing it reports
        what became of each joint.

    Raises:
        ValueError: If no joint of the target is found in the source.

    Example:
        >>> coco, h36m = Skeleton.get("coco17"), Skeleton.get("h36m17")
        >>> convert = conversion(coco, h36m)
        >>> convert.made_up
        ['spine']
        >>> convert(torch.randn(17, 50, 3)).shape
        torch.Size([17, 50, 3])
    """
    source, target = as_skeleton(source), as_skeleton(target)
    meaning = _meanings(source)
    wanted = _meanings(target)
    by_name = {plain(joint): j for j, joint in enumerate(source.joints)}
    by_meaning = {what: j for j, what in reversed(meaning.items())}
    sources: dict[int, list[int]] = {}
    for j, joint in enumerate(target.joints):
        what = wanted.get(j, "")
        ends = [by_meaning.get(end) for end in MEANS.get(what, ())]
        same = by_name.get(plain(joint))
        # A shoulder is a collar bone where arms start at an "arm".
        if same is not None and meaning.get(same, "") == what:
            sources[j] = [same]
        elif what in by_meaning:
            sources[j] = [by_meaning[what]]
        elif ends and None not in ends:
            sources[j] = [end for end in ends if end is not None]
    if not sources:
        raise ValueError(
            f"Found no joint of {target!r} in {source!r}: their names have "
            f"nothing in common"
        )
    matrix = torch.zeros(target.num_joints, source.num_joints)
    for j, from_ in sources.items():
        matrix[j, from_] = 1.0 / len(from_)
    above = [
        next((at for at in path[1:] if at in sources), None)
        for path in paths_to_roots(target)
    ]
    # A single one of the topmost known joints may lie on one side of the body.
    top = matrix[[j for j in sources if above[j] is None]].mean(dim=0)
    for j, nearest in enumerate(above):
        if j not in sources:
            matrix[j] = top if nearest is None else matrix[nearest]
    used = {j for joints in sources.values() for j in joints}
    named = {
        target.joints[j]: [source.joints[i] for i in joints]
        for j, joints in sorted(sources.items())
    }
    return Conversion(
        matrix,
        {joint: found[0] for joint, found in named.items() if len(found) == 1},
        {joint: found for joint, found in named.items() if len(found) > 1},
        [joint for joint in target.joints if joint not in named],
        [joint for j, joint in enumerate(source.joints) if j not in used],
    )


def _meanings(skeleton: Skeleton) -> dict[int, str]:
    """The place of each joint whose name tells it."""
    sides = body_sides(skeleton)
    paired = {j for pair in skeleton.pairs for j in pair}
    bases = [
        _base(joint, j in paired) for j, joint in enumerate(skeleton.joints)
    ]
    known = set(bases)
    if not known & {"ankle"}:
        bases = ["ankle" if base == "foot" else base for base in bases]
    if not known & {"wrist", "handroot"}:
        bases = ["wrist" if base == "hand" else base for base in bases]
    if known & {"arm", "upperarm"}:
        bases = ["collar" if base == "shoulder" else base for base in bases]
    if known & {"middleofspine"}:
        bases = ["chest" if base == "spine" else base for base in bases]
    found = {}
    for j, (base, side) in enumerate(zip(bases, sides, strict=True)):
        places = MIDDLE if side == "middle" else SIDED
        for place in places:
            if base in SYNONYMS[place]:
                found[j] = place if side == "middle" else f"{side} {place}"
                break
    return found


def _base(joint: str, paired: bool) -> str:
    """The name without prefix, side, blanks, marks and numbers at its end."""
    base = joint.rpartition(":")[2]
    for pattern in (WORD, *LETTERS[:2]):
        base = pattern.sub("", base)
    base = plain(base)
    if base not in KNOWN and base.rstrip("0123456789") in KNOWN:
        base = base.rstrip("0123456789")
    if paired and base not in KNOWN and base[1:] in KNOWN:
        return base[1:]
    return base

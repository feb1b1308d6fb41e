"""The layouts of pose estimators, cameras and body models, in the order of
their joints. Parts and sides follow from the names.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

# The sides of COCO and related layouts alternate, left first.
FACE17 = ("nose", "left eye", "right eye", "left ear", "right ear")
LIMBS17 = tuple(
    f"{side} {joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)
COCO17 = (*FACE17, *LIMBS17)
COCO17_PARENTS = (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14)
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
HAND21 = (
    "wrist",
    *(f"{finger} {i}" for finger in FINGERS for i in range(1, 5)),
)
HAND21_PARENTS = tuple(
    -1 if i == 0 else 0 if i % 4 == 1 else i - 1 for i in range(21)
)
SMPL24 = (
    "pelvis", "left hip", "right hip", "spine 1", "left knee", "right knee",
    "spine 2", "left ankle", "right ankle", "spine 3", "left foot",
    "right foot", "neck", "left collar", "right collar", "head",
    "left shoulder", "right shoulder", "left elbow", "right elbow",
    "left wrist", "right wrist", "left hand", "right hand",
)  # fmt: skip
SMPL24_PARENTS = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19,
    20, 21,
)  # fmt: skip


def layout(
    name: str, joints: Sequence[str], parents: Sequence[int], **more: object
) -> dict[str, Any]:
    r"""The arguments of a skeleton, from the parent of each joint or -1."""
    bones = [(j, parent) for j, parent in enumerate(parents) if parent >= 0]
    return {"name": name, "joints": joints, "bones": bones, **more}


def _wholebody() -> dict[str, Any]:
    """COCO's 17 joints, 6 of the feet, 68 of the face, and two hands."""
    feet = [
        f"{side} {joint}"
        for side in ("left", "right")
        for joint in ("big toe", "small toe", "heel")
    ]
    face = [f"face {i}" for i in range(1, 69)]
    hands = [
        f"{side} hand {joint}"
        for side in ("left", "right")
        for joint in ("root", *HAND21[1:])
    ]
    parents = [*COCO17_PARENTS, 15, 15, 15, 16, 16, 16]
    # Chains of the face start in its middle and at the nose.
    chains = (
        (-23, 8, 7, 6, 5, 4, 3, 2, 1, 0), (8, 9, 10, 11, 12, 13, 14, 15, 16),
        (-23, 21, 20, 19, 18, 17), (-23, 22, 23, 24, 25, 26),
        (-23, 27, 28, 29, 30, 33, 32, 31), (33, 34, 35),
        (-23, 39, 38, 37, 36), (39, 40, 41), (-23, 42, 43, 44, 45),
        (42, 47, 46), (-23, 51, 50, 49, 48), (51, 52, 53, 54),
        (51, 57, 58, 59), (57, 56, 55), (51, 62, 61, 60), (62, 63, 64),
        (62, 66, 67), (66, 65),
    )  # fmt: skip
    above = {b: a for chain in chains for a, b in pairwise(chain)}
    parents += [23 + above[i] for i in range(68)]
    for first, wrist in ((91, 9), (112, 10)):
        parents += [p + first if p >= 0 else wrist for p in HAND21_PARENTS]
    # The annotators count from the right of the face to its left.
    mirrored = [
        *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30,
        *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
        *range(54, 47, -1), 59, 58, 57, 56, 55, *range(64, 59, -1), 67, 66, 65,
    ]  # fmt: skip
    joints = [*COCO17, *feet, *face, *hands]
    pairs = [
        (j, joints.index(joint.replace("left", "right")))
        for j, joint in enumerate(joints)
        if joint.startswith("left")
    ]
    pairs += [(23 + m, 23 + i) for i, m in enumerate(mirrored) if i < m]
    return layout("coco_wholebody133", joints, parents, pairs=pairs)


LAYOUTS = (
    layout("coco17", COCO17, COCO17_PARENTS),
    _wholebody(),
    layout(
        "openpose25",
        (
            "nose", "neck", "right shoulder", "right elbow", "right wrist",
            "left shoulder", "left elbow", "left wrist", "mid hip",
            "right hip", "right knee", "right ankle", "left hip", "left knee",
            "left ankle", "right eye", "left eye", "right ear", "left ear",
            "left big toe", "left small toe", "left heel", "right big toe",
            "right small toe", "right heel",
        ),
        (1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 19,
         14, 11, 22, 11),
    ),
    layout(
        "mediapipe33",
        (
            "nose", "left eye inner", "left eye", "left eye outer",
            "right eye inner", "right eye", "right eye outer", "left ear",
            "right ear", "mouth left", "mouth right", *LIMBS17[:6],
            "left pinky", "right pinky", "left index", "right index",
            "left thumb", "right thumb", *LIMBS17[6:], "left heel",
            "right heel", "left foot index", "right foot index",
        ),
        (-1, 0, 1, 2, 0, 4, 5, 3, 6, 0, 0, 0, 0, 11, 12, 13, 14, 15, 16, 15,
         16, 15, 16, 11, 12, 23, 24, 25, 26, 27, 28, 27, 28),
    ),
    layout(
        "hand21",
        HAND21,
        HAND21_PARENTS,
        parts={
            "wrist": [0],
            **{f: range(4 * i + 1, 4 * i + 5) for i, f in enumerate(FINGERS)},
        },
    ),
    layout("smpl22", SMPL24[:22], SMPL24_PARENTS[:22]),
    layout("smpl24", SMPL24, SMPL24_PARENTS),
    layout(
        "h36m17",
        (
            "pelvis", "right hip", "right knee", "right ankle", "left hip",
            "left knee", "left ankle", "spine", "thorax", "neck", "head",
            "left shoulder", "left elbow", "left wrist", "right shoulder",
            "right elbow", "right wrist",
        ),
        (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    ),
    layout(
        "kinect20",
        (
            "hip center", "spine", "shoulder center", "head",
            "left shoulder", "left elbow", "left wrist", "left hand",
            "right shoulder", "right elbow", "right wrist", "right hand",
            "left hip", "left knee", "left ankle", "left foot",
            "right hip", "right knee", "right ankle", "right foot",
        ),
        (-1, 0, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18),
    ),
)  # fmt: skip
# Other names of layouts, without blanks and marks.
ALIASES = {
    "coco": "coco17", "cocokeypoints": "coco17", "halpe17": "coco17",
    "yolo": "coco17", "yolopose": "coco17", "movenet": "coco17",
    "wholebody": "coco_wholebody133", "cocowholebody": "coco_wholebody133",
    "wholebody133": "coco_wholebody133", "coco133": "coco_wholebody133",
    "openpose": "openpose25", "body25": "openpose25",
    "openpose18": "kinetics18", "kinetics": "kinetics18",
    "kineticsskeleton": "kinetics18",
    "mediapipe": "mediapipe33", "blazepose": "mediapipe33",
    "blazepose33": "mediapipe33", "mediapipepose": "mediapipe33",
    "hand": "hand21", "mediapipehands": "hand21", "mediapipehand": "hand21",
    "smpl": "smpl24", "amass": "smpl22", "humanml3d": "smpl22",
    "human36m17": "h36m17", "human36m20": "h36m20", "human36m32": "h36m32",
    "videopose3d": "h36m17",
    "kinectv1": "kinect20", "kinectv2": "ntu25", "kinect25": "ntu25",
    "ntu": "ntu25", "nturgbd": "ntu25", "nturgbd25": "ntu25",
    "ntu60": "ntu25", "ntu120": "ntu25", "cmumocap26": "cmu26",
    "cmumocap38": "cmu38",
}  # fmt: skip
# Names that several layouts have.
SHARED = {
    "h36m": ("h36m17", "h36m20", "h36m32"),
    "human36m": ("h36m17", "h36m20", "h36m32"),
    "kinect": ("kinect20", "ntu25"), "cmu": ("cmu26", "cmu38"),
    "cmumocap": ("cmu26", "cmu38"),
}  # fmt: skip

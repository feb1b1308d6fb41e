"""The arguments of the built-in skeletons, which :meth:`Skeleton.get` builds:
here those of NTU-RGB+D, Kinetics, Human3.6M and CMU Mocap. Parts that are not
given follow from the names of the joints.
"""

import difflib
import re
from typing import Any

from symgnn_pyg.skeleton.parts import PARTS as LEFT_FIRST
from symgnn_pyg.skeleton.pose_layouts import ALIASES, SHARED, layout
from symgnn_pyg.skeleton.pose_layouts import LAYOUTS as POSE_LAYOUTS

__all__ = ["CMU26_IN_38", "H36M20_IN_32", "LAYOUTS", "WHOLE_LAYOUTS"]

Layout = dict[str, Any]

RIGHT_LEG_FIRST = LEFT_FIRST[2:4] + LEFT_FIRST[:2] + LEFT_FIRST[4:]

CMU26 = layout(
    "cmu26",
    (
        "lfemur", "ltibia", "lfoot", "ltoes",
        "rfemur", "rtibia", "rfoot", "rtoes",
        "lowerback", "upperback", "thorax", "lowerneck", "upperneck", "head",
        "lhumerus", "lradius", "lwrist", "lhand", "lfingers", "lthumb",
        "rhumerus", "rradius", "rwrist", "rhand", "rfingers", "rthumb",
    ),
    (8, 0, 1, 2, 8, 4, 5, 6, -1, 8, 9, 10, 11, 12, 10, 14, 15, 16, 17, 16,
     10, 20, 21, 22, 23, 22),
)  # fmt: skip

# The 38 joints of a CMU Mocap file, where "end" marks the end of a chain, with
# the rest pose of a generic adult for forward kinematics.
CMU38 = layout(
    "cmu38",
    (
        "root",
        "lhipjoint", "lfemur", "ltibia", "lfoot", "ltoes", "ltoes end",
        "rhipjoint", "rfemur", "rtibia", "rfoot", "rtoes", "rtoes end",
        "lowerback", "upperback", "thorax",
        "lowerneck", "upperneck", "head", "head end",
        "lclavicle", "lhumerus", "lradius", "lwrist",
        "lhand", "lfingers", "lfingers end", "lthumb", "lthumb end",
        "rclavicle", "rhumerus", "rradius", "rwrist",
        "rhand", "rfingers", "rfingers end", "rthumb", "rthumb end",
    ),
    (-1, 0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 0, 13, 14, 15, 16, 17, 18,
     15, 20, 21, 22, 23, 24, 25, 23, 27, 15, 29, 30, 31, 32, 33, 34, 32,
     36),
    offsets=(
        (0, 0, 0),
        (0, 0, 0), (0.093, -0.102, 0.035), (0.146, -0.402, 0),
        (0.14, -0.385, 0), (0.012, -0.033, 0.121), (0, 0, 0.063),
        (0, 0, 0), (-0.093, -0.102, 0.035), (-0.146, -0.402, 0),
        (-0.14, -0.385, 0), (-0.012, -0.033, 0.121), (0, 0, 0.063),
        (0, 0, 0), (0, 0.116, -0.008), (0, 0.117, -0.003),
        (0, 0.117, 0), (0, 0.088, 0.008), (0, 0.088, -0.006),
        (0, 0.092, -0.003),
        (0, 0.117, 0), (0.199, 0.047, -0.014), (0.275, 0, 0), (0.19, 0, 0),
        (0, 0, 0), (0.039, 0, 0), (0.032, 0, 0), (0, 0, 0),
        (0.032, 0, 0.032),
        (0, 0.117, 0), (-0.199, 0.047, -0.014), (-0.275, 0, 0),
        (-0.19, 0, 0), (0, 0, 0), (-0.039, 0, 0), (-0.032, 0, 0), (0, 0, 0),
        (-0.032, 0, 0.032),
    ),
)  # fmt: skip
# The joints of CMU38 that CMU26 keeps.
CMU26_IN_38 = tuple(CMU38["joints"].index(joint) for joint in CMU26["joints"])

H36M20 = layout(
    "h36m20",
    (
        "RightUpLeg", "RightLeg", "RightFoot", "RightToeBase",
        "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase",
        "Spine", "Spine1", "Neck", "Head",
        "LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand",
        "RightShoulder", "RightArm", "RightForeArm", "RightHand",
    ),
    (8, 0, 1, 2, 8, 4, 5, 6, -1, 8, 9, 10, 9, 12, 13, 14, 9, 16, 17, 18),
    parts=dict(zip(RIGHT_LEG_FIRST, (
        (0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11),
        (12, 13), (14, 15), (16, 17), (18, 19),
    ), strict=True)),
)  # fmt: skip

# The 32 joints of a Human3.6M file, where "end" marks the end of a chain, with
# the rest pose of the body that the field shares by all subjects, in metres.
# The arms point up in it. The shoulders start where the neck does.
H36M32 = layout(
    "h36m32",
    (
        "Hips",
        "RightUpLeg", "RightLeg", "RightFoot", "RightToeBase",
        "RightToeBase end",
        "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase", "LeftToeBase end",
        "Spine", "Spine1", "Neck", "Head", "Head end",
        "LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand",
        "LeftHandThumb", "LeftHandThumb end", "LeftWristEnd",
        "LeftWristEnd end",
        "RightShoulder", "RightArm", "RightForeArm", "RightHand",
        "RightHandThumb", "RightHandThumb end", "RightWristEnd",
        "RightWristEnd end",
    ),
    (-1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18,
     19, 20, 19, 22, 12, 24, 25, 26, 27, 28, 27, 30),
    parts=dict(zip(RIGHT_LEG_FIRST, (
        (1, 2), (3, 4, 5), (6, 7), (8, 9, 10), (0, 11, 12), (13, 14, 15),
        (16, 17), (18, 19, 20, 21, 22, 23),
        (24, 25), (26, 27, 28, 29, 30, 31),
    ), strict=True)),
    offsets=(
        (0, 0, 0),
        (-0.132948591, 0, 0), (0, -0.442894612, 0), (0, -0.454206447, 0),
        (0, 0, 0.162767078), (0, 0, 0.074999437),
        (0.132948826, 0, 0), (0, -0.442894413, 0), (0, -0.45420659, 0),
        (0, 0, 0.162767426), (0, 0, 0.074999948),
        (0, 0.0001, 0), (0, 0.233383263, 0), (0, 0.257077681, 0),
        (0, 0.121134938, 0), (0, 0.115002227, 0),
        (0, 0.257077681, 0), (0, 0.151034226, 0), (0, 0.278882773, 0),
        (0, 0.251733451, 0),
        (0, 0, 0), (0, 0, 0.099999627), (0, 0.100000188, 0), (0, 0, 0),
        (0, 0.257077681, 0), (0, 0.151031437, 0), (0, 0.278892924, 0),
        (0, 0.25172868, 0),
        (0, 0, 0), (0, 0, 0.099999888), (0, 0.137499922, 0), (0, 0, 0),
    ),
)  # fmt: skip
# The joints of H36M32 that H36M20 keeps.
H36M20_IN_32 = tuple(
    H36M32["joints"].index(joint) for joint in H36M20["joints"]
)

NTU25 = layout(
    "ntu25",
    (
        "base of spine", "middle of spine", "neck", "head",
        "left shoulder", "left elbow", "left wrist", "left hand",
        "right shoulder", "right elbow", "right wrist", "right hand",
        "left hip", "left knee", "left ankle", "left foot",
        "right hip", "right knee", "right ankle", "right foot",
        "spine", "left fingertip", "left thumb",
        "right fingertip", "right thumb",
    ),
    (1, 20, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18,
     -1, 22, 7, 24, 11),
    centre="spine",
)  # fmt: skip

KINETICS18: Layout = {
    "joints": (
        "nose", "neck", "right shoulder", "right elbow", "right wrist",
        "left shoulder", "left elbow", "left wrist",
        "right hip", "right knee", "right ankle",
        "left hip", "left knee", "left ankle",
        "right eye", "left eye", "right ear", "left ear",
    ),
    "bones": (
        (4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8),
        (11, 5), (8, 2), (5, 1), (2, 1), (0, 1), (15, 0), (14, 0), (17, 15),
        (16, 14),
    ),
    "parts": dict(zip(LEFT_FIRST, (
        (11, 12), (13,), (8, 9), (10,), (1,), (0, 14, 15, 16, 17),
        (5, 6), (7,), (2, 3), (4,),
    ), strict=True)),
    "part_bones": (
        (0, 1), (2, 3), (0, 4), (2, 4), (4, 5), (4, 6), (6, 7), (4, 8), (8, 9),
    ),
    "centre": "neck",
    "name": "kinetics18",
}  # fmt: skip

DATA_SETS = (NTU25, KINETICS18, H36M20, H36M32, CMU26, CMU38)
LAYOUTS: dict[str, Layout] = {
    layout["name"]: layout for layout in (*DATA_SETS, *POSE_LAYOUTS)
}

# Layouts that drop joints of their data set's files: the layout of a whole
# file, and the indices in it of the joints that are kept.
WHOLE_LAYOUTS = {
    "cmu26": ("cmu38", CMU26_IN_38),
    "h36m20": ("h36m32", H36M20_IN_32),
}


def plain(name: str) -> str:
    r"""A name without case, blanks and marks."""
    return re.sub("[^a-z0-9]", "", name.lower())


def find_layout(name: str) -> Layout:
    r"""The layout of that name, whatever its case, blanks and marks."""
    if not isinstance(name, str):
        raise TypeError(
            f"Expected the name of a built-in skeleton, such as 'ntu25', got "
            f"{type(name).__name__}"
        )
    wanted = plain(name)
    known = {plain(layout): layout for layout in LAYOUTS} | ALIASES
    if wanted in known:
        return LAYOUTS[known[wanted]]
    close = difflib.get_close_matches(wanted, known, 3)
    near = SHARED.get(wanted, tuple({known[c]: c for c in close}))
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(
        f"Expected the name of a built-in skeleton, one of "
        f"{', '.join(map(repr, LAYOUTS))}, got {name!r}{hint}"
    )

from symgnn_pyg import Skeleton
from symgnn_pyg.transforms.body_sides import body_sides

NAMES = [
    "lumbar", "lfemur", "rfemur", "root", "left eye", "hip_right", "LeftArm",
    "lamp", "rod", "hip", "ip",
]  # fmt: skip
STAR = Skeleton(NAMES, [(j, 0) for j in range(1, len(NAMES))])
SIDES = [
    ("middle", "lumbar"), ("left", "rfemur"), ("right", "lfemur"),
    ("middle", "root"), ("left", "right eye"), ("right", "hip_left"),
    ("left", "RightArm"), ("middle", "lamp"), ("middle", "rod"),
    ("middle", "hip"), ("middle", "ip"),
]  # fmt: skip


def test_sides_by_name():
    assert body_sides(STAR) == SIDES


def test_bones_are_on_the_side_of_their_child():
    expected = [(side, f"{name}-lumbar") for side, name in SIDES[1:]]
    assert body_sides(STAR.dual()) == expected


def test_dual_of_a_dual():
    joints = ["root", "lhip", "lknee", "rhip", "rknee"]
    skeleton = Skeleton(joints, [(1, 0), (2, 1), (3, 0), (4, 3)])
    twice = skeleton.dual().dual()
    assert twice.joints == ("lknee-lhip-lhip-root", "rknee-rhip-rhip-root")
    assert body_sides(twice) == [
        ("left", twice.joints[1]),
        ("right", twice.joints[0]),
    ]

import pickle

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton import mirrored_joints
from symgnn_pyg.skeleton.layouts import LAYOUTS
from symgnn_pyg.skeleton.sides import body_sides

NAMES = [
    "lumbar", "lfemur", "rfemur", "root", "left eye", "hip_right", "LeftArm",
    "lamp", "rod", "hip", "ip",
]  # fmt: skip
STAR = Skeleton(NAMES, [(j, 0) for j in range(1, len(NAMES))])
SIDES = [
    "middle", "left", "right", "middle", "left", "right", "left", "middle",
    "middle", "middle", "middle",
]  # fmt: skip


def test_sides_by_name():
    assert body_sides(STAR) == SIDES


def test_bones_are_on_the_side_of_their_child():
    assert body_sides(STAR.dual()) == SIDES[1:]


def test_dual_of_a_dual():
    joints = ["root", "lhip", "lknee", "rhip", "rknee"]
    skeleton = Skeleton(joints, [(1, 0), (2, 1), (3, 0), (4, 3)])
    twice = skeleton.dual().dual()
    assert twice.joints == ("lknee-lhip-lhip-root", "rknee-rhip-rhip-root")
    assert body_sides(twice) == ["left", "right"]
    assert twice.pairs == ((0, 1),)


SKELETONS = [*map(Skeleton.get, LAYOUTS)]


def chain(*joints):
    return Skeleton(joints, list(zip(joints[1:], joints, strict=False)))


@pytest.mark.parametrize(
    "skeleton", SKELETONS + [s.dual() for s in SKELETONS], ids=str
)
def test_layouts(skeleton):
    mirrored = mirrored_joints(skeleton)
    assert torch.equal(mirrored[mirrored], torch.arange(skeleton.num_joints))
    partner = mirrored.tolist()
    bones = {frozenset(bone) for bone in skeleton.bones}
    assert bones == {frozenset((partner[a], partner[b])) for a, b in bones}
    parts = {frozenset(joints) for _, joints in skeleton.parts}
    assert parts == {frozenset(partner[j] for j in part) for part in parts}


@pytest.mark.parametrize(
    ("name", "middle"),
    [
        ("ntu25", 5),
        ("kinetics18", 2),
        ("h36m20", 4),
        ("h36m32", 6),
        ("cmu26", 6),
        ("cmu38", 8),
        ("hand21", 21),
    ],
)
def test_joints_in_the_middle(name, middle):
    skeleton = Skeleton.get(name)
    mirrored = mirrored_joints(skeleton)
    assert (mirrored == torch.arange(skeleton.num_joints)).sum() == middle


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("ntu25", "left thumb", "right thumb"),
        ("kinetics18", "left eye", "right eye"),
        ("h36m20", "LeftToeBase", "RightToeBase"),
        ("cmu26", "lfemur", "rfemur"),
    ],
)
def test_partners(name, left, right):
    skeleton = Skeleton.get(name)
    partner = mirrored_joints(skeleton)[skeleton.index(left)]
    assert partner == skeleton.index(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("left_hip", "right_hip"),
        ("hip_left", "hip_right"),
        ("leftUpLeg", "rightUpLeg"),
        ("HandLeft", "HandRight"),
        ("LEFT HAND", "RIGHT HAND"),
        ("L_Hip", "R_Hip"),
        ("LShoulder", "RShoulder"),
        ("Hand_L", "Hand_R"),
        ("upper_arm.L", "upper_arm.R"),
        ("FootL", "FootR"),
        ("Bip01 L Hand", "Bip01 R Hand"),
        ("lShldr", "rShldr"),
        ("hand_l_01", "hand_r_01"),
        ("mixamorig:LeftArm", "mixamorig:RightArm"),
        ("LEFT_SHOULDER", "RIGHT_SHOULDER"),
        ("armleft", "armright"),
        ("thigh_L.001", "thigh_R.001"),
        ("左ひじ", "右ひじ"),
    ],
)
def test_ways_to_write_a_side(left, right):
    skeleton = chain("pelvis", left, right, "bright cleft")
    assert mirrored_joints(skeleton).tolist() == [0, 2, 1, 3]


@pytest.mark.parametrize("dual", [False, True])
def test_letters_without_a_partner_are_no_sides(dual):
    skeleton = chain("root", "larynx", "lamp", "rump")
    skeleton = skeleton.dual() if dual else skeleton
    mirrored = mirrored_joints(skeleton)
    assert mirrored.tolist() == list(range(skeleton.num_joints))


def test_joint_in_the_middle_beside_lettered_ones():
    skeleton = Skeleton(
        ["lamp", "lfoot", "rfoot", "ltoe", "rtoe"],
        [("lfoot", "lamp"), ("rfoot", "lamp"), (3, 1), (4, 2)],
    )
    assert mirrored_joints(skeleton).tolist() == [0, 2, 1, 4, 3]
    dual = skeleton.dual()
    assert dual.joints[0] == "lfoot-lamp"
    assert mirrored_joints(dual).tolist() == [1, 0, 3, 2]


@pytest.mark.parametrize(
    ("joints", "missing"),
    [
        (("hip", "left hand"), "right hand"),
        (("hip", "RightArm", "LeftArm", "RightLeg"), "LeftLeg"),
    ],
)
def test_no_partner(joints, missing):
    alone = joints[-1]
    with pytest.raises(
        ValueError, match=rf"'{alone}' .* no counterpart '{missing}'"
    ):
        mirrored_joints(chain(*joints))


def test_pairs_that_names_do_not_tell():
    skeleton = Skeleton(
        ["joint 0", "joint 1", "joint 2"], [(1, 0), (2, 0)],
        pairs=[("joint 2", "joint 1")],
    )  # fmt: skip
    assert skeleton.pairs == ((2, 1),)
    assert body_sides(skeleton) == ["middle", "right", "left"]
    assert mirrored_joints(skeleton).tolist() == [0, 2, 1]
    assert mirrored_joints(skeleton.dual()).tolist() == [1, 0]
    assert body_sides(skeleton.dual()) == ["right", "left"]
    for again in (
        Skeleton(**skeleton.to_dict()),
        Skeleton.from_networkx(skeleton.to_networkx()),
        pickle.loads(pickle.dumps(skeleton)),
    ):
        assert again == skeleton
        assert again.pairs == skeleton.pairs


def test_pairs_against_names():
    skeleton = chain("left hip", "hip 1", "right hip")
    other = Skeleton(skeleton.joints, skeleton.bones, pairs=[])
    assert skeleton.pairs == ((0, 2),)
    assert other.pairs == ()
    assert other.fingerprint == skeleton.fingerprint


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ([("a", "d")], "Unknown joint 'd' in pair"),
        ([("a", "b"), ("b", "c")], "Joint 'b' is in two of the 'pairs'"),
        ([("a", "a")], "must connect two different joints"),
    ],
)
def test_bad_pairs(pairs, fault):
    with pytest.raises(ValueError, match=fault):
        Skeleton("abc", [(1, 0), (2, 1)], pairs=pairs)

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton import conversion, mirrored_joints
from symgnn_pyg.skeleton.layouts import LAYOUTS

BODIES = [name for name in LAYOUTS if name != "hand21"]


def get(source, target):
    return conversion(Skeleton.get(source), Skeleton.get(target))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_skeleton_to_itself(name):
    found = get(name, name)
    assert torch.equal(found.matrix, torch.eye(len(found.same)))
    assert found[2:] == ({}, [], [])


@pytest.mark.parametrize("target", BODIES)
@pytest.mark.parametrize("source", BODIES)
def test_every_joint_is_accounted_for(source, target):
    found = get(source, target)
    wanted, given = Skeleton.get(target), Skeleton.get(source)
    told = [*found.same, *found.averaged, *found.made_up]
    assert sorted(told) == sorted(wanted.joints)
    used = {
        *found.same.values(),
        *(j for m in found.averaged.values() for j in m),
    }
    assert used | set(found.lost) == set(given.joints)
    assert used.isdisjoint(found.lost)
    # Limbs are in every body.
    limbs = {"left knee", "left elbow"} & set(wanted.joints)
    assert limbs <= set(found.same)
    torch.testing.assert_close(found.matrix.sum(1), torch.ones(len(told)))


@pytest.mark.parametrize(
    ("source", "target", "pairs"),
    [
        ("cmu26", "ntu25", {"left hip": "lfemur", "left ankle": "lfoot",
                            "left foot": "ltoes", "right elbow": "rradius",
                            "left hand": "lhand"}),
        ("h36m20", "coco17", {"left shoulder": "LeftArm",
                              "left wrist": "LeftHand",
                              "right ankle": "RightFoot"}),
        ("coco17", "cmu26", {"lfemur": "left hip", "rwrist": "right wrist"}),
        ("kinect20", "ntu25", {"base of spine": "hip center",
                               "middle of spine": "spine",
                               "neck": "shoulder center"}),
        ("smpl24", "h36m17", {"thorax": "spine 3"}),
    ],
)  # fmt: skip
def test_other_names_of_the_same_joints(source, target, pairs):
    same = get(source, target).same
    assert pairs.items() <= same.items()


def test_means_of_joints():
    coco, h36m = Skeleton.get("coco17"), Skeleton.get("h36m17")
    convert = conversion(coco, h36m)
    assert convert.averaged["pelvis"] == ["left hip", "right hip"]
    assert convert.made_up == ["spine"]
    assert convert.lost == ["nose", "left eye", "right eye"]
    x = torch.randn(17, 6, 3, dtype=torch.double)
    y = convert(x)
    assert y.dtype == x.dtype
    hips = x[[coco.index("left hip"), coco.index("right hip")]].mean(0)
    torch.testing.assert_close(y[h36m.index("pelvis")], hips)
    # It is made up where the joint above it is.
    assert torch.equal(y[h36m.index("spine")], y[h36m.index("pelvis")])
    knee = x[coco.index("left knee")]
    assert torch.equal(y[h36m.index("left knee")], knee)


@pytest.mark.parametrize("target", BODIES)
@pytest.mark.parametrize("source", BODIES)
def test_no_side_is_preferred(source, target):
    """Not even by joints that are made up above all found ones."""
    matrix = get(source, target).matrix
    left_right = mirrored_joints(Skeleton.get(source))
    mirrored = matrix[mirrored_joints(Skeleton.get(target))][:, left_right]
    torch.testing.assert_close(mirrored, matrix)


def test_any_dimension_and_gradients():
    convert = get("mediapipe33", "coco17")
    x = torch.randn(2, 9, 33, 3, dtype=torch.double, requires_grad=True)
    y = convert(x, dim=2)
    assert y.shape == (2, 9, 17, 3)
    torch.testing.assert_close(
        y[1], convert(x[1].transpose(0, 1)).transpose(0, 1)
    )
    assert torch.autograd.gradcheck(lambda x: convert(x, dim=2), x[:1, :1])
    with pytest.raises(ValueError, match=r"Expected 33 joints along dim.* 0"):
        convert(x)


@pytest.mark.parametrize("x", [torch.ones(17, 2).long(), np.ones((17, 2))])
def test_only_floating_point_tensors(x):
    with pytest.raises(TypeError, match=r"floating-point .*, got .*64"):
        get("coco17", "h36m17")(x)


def test_missing_joints_stay_missing():
    """And only those that are made from them."""
    coco, h36m = Skeleton.get("coco17"), Skeleton.get("h36m17")
    convert = conversion(coco, h36m)
    x = torch.randn(17, 6, 3)
    whole = convert(x)
    x[coco.index("left hip"), 2, 1] = torch.nan
    y = convert(x)
    gone = {"pelvis", "left hip", "spine"}
    for j, joint in enumerate(h36m.joints):
        assert y[j, 2, 1].isnan() == (joint in gone), joint
    assert torch.equal(y.isnan().sum(), torch.tensor(3))
    assert torch.equal(y[~y.isnan()], whole[~y.isnan()])


def test_report():
    assert str(get("coco17", "h36m17")).splitlines()[2:] == [
        "1 made up: spine",
        "3 lost: nose, left eye, right eye",
    ]


def test_nothing_in_common():
    arm = Skeleton("abc", [(1, 0), (2, 1)])
    with pytest.raises(ValueError, match="nothing in common"):
        conversion(arm, Skeleton.get("coco17"))

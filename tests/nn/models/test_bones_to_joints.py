import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import BonesToJoints
from symgnn_pyg.skeleton.layouts import LAYOUTS


@pytest.mark.parametrize("name", LAYOUTS)
def test_inverse_of_differences(name, dtype):
    skeleton = Skeleton.get(name)
    x = torch.randn(2, skeleton.num_joints, 4, 3, dtype=dtype)
    child, parent = skeleton.bone_index
    bones = x[:, child] - x[:, parent]
    placed = BonesToJoints(skeleton).to(dtype)(
        bones.flatten(0, 1), x.flatten(0, 1)
    )
    near = 1e-5 if dtype == torch.float32 else 1e-13
    torch.testing.assert_close(placed, x.flatten(0, 1), atol=near, rtol=near)


def test_mixed_precision_places_exactly(arm):
    joints, bones = torch.randn(10, 3, 3), torch.randn(8, 3, 3)
    place = BonesToJoints(arm)
    with torch.autocast("cpu", torch.bfloat16):
        found = place(bones, joints)
    assert torch.equal(found, place(bones, joints))


def test_only_joints_without_a_parent_are_used(arm):
    joints, bones = torch.randn(5, 3), torch.ones(4, 3)
    other = joints.clone()
    other[1:] = 0
    place = BonesToJoints(arm)
    torch.testing.assert_close(place(bones, joints), place(bones, other))
    depth = torch.tensor([0.0, 1, 2, 3, 4]).unsqueeze(1)
    torch.testing.assert_close(place(bones, joints), joints[:1] + depth)


def test_no_bodies_and_no_bones(arm):
    nothing = torch.zeros(0, 3)
    assert BonesToJoints(arm)(nothing, nothing).shape == (0, 3)
    alone = BonesToJoints(Skeleton(["a"], []))
    joints = torch.randn(2, 3)
    assert torch.equal(alone(nothing, joints), joints)


def test_has_no_state(arm):
    assert not BonesToJoints(arm).state_dict()


@pytest.mark.parametrize(
    ("bones", "joints"), [((4, 3), (10, 3)), ((4, 3), (6, 3)), ((4, 2), (5, 3))]
)
def test_other_bodies(arm, bones, joints):
    with pytest.raises(
        ValueError, match=r"bones of shape \[M \* 4, \*\] .* same M bodies"
    ):
        BonesToJoints(arm)(torch.zeros(bones), torch.zeros(joints))

import pytest
import roma
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton import (
    cmu_positions,
    forward_kinematics,
    joint_positions,
)
from symgnn_pyg.skeleton.kinematics import place_joints

# The parent comes after its child: order does not matter.
ARM = Skeleton(
    ["wrist", "elbow", "shoulder"],
    [("wrist", "elbow"), ("elbow", "shoulder")],
    offsets=[(1, 0, 0), (0, 2, 0), (0, 0, 3)],
)


def test_rest_pose_adds_offsets_up():
    position = forward_kinematics(torch.zeros(38, 3), CMU38)
    parent = dict(CMU38.bones)
    for joint in range(38):
        expected, at = torch.zeros(3), joint
        while at is not None:
            expected = expected + torch.tensor(CMU38.offsets[at])
            at = parent.get(at)
        torch.testing.assert_close(position[joint], expected)


def test_quarter_turn_by_hand():
    turn = torch.zeros(3, 3)
    turn[1, 2] = torch.pi / 2  # The elbow turns x into y.
    position = forward_kinematics(turn, ARM)
    expected = torch.tensor([[0.0, 3, 3], [0, 2, 3], [0, 0, 3]])
    torch.testing.assert_close(position, expected)


def test_root_turns_the_body_rigidly(dtype):
    rotation = torch.randn(4, 38, 3, dtype=dtype)
    rotation[:, 0] = 0
    position = forward_kinematics(rotation, CMU38)
    turn = torch.randn(4, 3, dtype=dtype)
    rotation[:, 0] = turn
    turned = forward_kinematics(rotation, CMU38)
    expected = position @ roma.rotvec_to_rotmat(turn).mT
    torch.testing.assert_close(turned, expected, rtol=1e-4, atol=1e-5)
    assert turned.dtype == dtype


def test_bones_keep_their_length():
    position = forward_kinematics(torch.randn(2, 5, 38, 3), CMU38)
    child, parent = CMU38.bone_index
    length = (position[..., child, :] - position[..., parent, :]).norm(dim=-1)
    offset = torch.tensor(CMU38.offsets)[child].norm(dim=-1)
    torch.testing.assert_close(length, offset.expand_as(length))


def test_a_joint_moves_only_what_hangs_from_it():
    turn = torch.zeros(38, 3)
    turn[CMU38.index("lradius")] = torch.tensor([0.3, 0.2, -0.4])
    rest = forward_kinematics(torch.zeros(38, 3), CMU38)
    moved = (forward_kinematics(turn, CMU38) - rest).norm(dim=-1) > 1e-6
    names = {CMU38.joints[j] for j in moved.nonzero().flatten().tolist()}
    assert names <= {j for j in CMU38.joints if j.startswith("l")}
    assert {"lwrist", "lhand"} <= names
    assert not names & {"lradius", "lhumerus"}


def test_gradient():
    rotation = torch.randn(3, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda r: forward_kinematics(r, ARM), rotation
    )


def test_gradient_at_rest_is_finite():
    rotation = torch.zeros(3, 3, requires_grad=True)
    forward_kinematics(rotation, ARM).sum().backward()
    assert rotation.grad.isfinite().all()


def test_long_chain():
    length = 3000
    chain = Skeleton(
        [str(j) for j in range(length)],
        [(j, j + 1) for j in range(length - 1)],
        offsets=[(1, 0, 0)] * length,
    )
    rotation = torch.zeros(length, 3, requires_grad=True)
    position = forward_kinematics(rotation, chain)
    expected = torch.arange(length, 0, -1.0)
    assert torch.equal(position[:, 0], expected)
    position.sum().backward()
    assert rotation.grad.isfinite().all()


def test_no_offsets():
    with pytest.raises(ValueError, match=r"with 'offsets', got .*'ntu25'"):
        forward_kinematics(torch.zeros(25, 3), Skeleton.get("ntu25"))


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3,)])
def test_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"\[\*, 3, 3\].*got \["):
        forward_kinematics(torch.zeros(shape), ARM)


CMU38 = Skeleton.get("cmu38")

QUARTER = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # x to y
OFFSETS = torch.tensor([[1.0, 2, 3], [1, 0, 0], [0, 0, 1], [0, 2, 0]])


def test_by_hand():
    """Two trees; the root turns what hangs from it, not itself."""
    places = place_joints(
        [-1, 0, -1, 1], OFFSETS, [QUARTER, QUARTER, None, None]
    )
    expected = [[1.0, 2, 3], [1, 3, 3], [0, 0, 1], [1, 1, 3]]
    assert torch.stack(places).tolist() == expected


def test_joint_that_does_not_turn_is_one_that_turns_by_nothing():
    offsets, turn = torch.randn(4, 3), torch.randn(5, 3, 3)
    some = [None, turn, None, turn]
    every = [torch.eye(3) if r is None else r for r in some]
    for a, b in zip(
        place_joints([-1, 0, 1, 2], offsets, some),
        place_joints([-1, 0, 1, 2], offsets, every),
        strict=True,
    ):
        torch.testing.assert_close(a.expand(5, 3), b.expand(5, 3))


def test_offsets_that_change():
    offsets, turns = torch.randn(2, 6, 3), torch.randn(2, 6, 3, 3)
    both = place_joints([-1, 0], offsets, turns)
    for t in range(6):
        one = place_joints([-1, 0], offsets[:, t], turns[:, t])
        for a, b in zip(one, both, strict=True):
            torch.testing.assert_close(a, b[t])


def test_lengths_that_differ():
    with pytest.raises(ValueError, match="zip"):
        place_joints([-1, 0], OFFSETS, [None, None])


# Poses of CMU Mocap ##########################################################

CMU26 = Skeleton.get("cmu26")


def joint(position, name):
    return position[..., CMU26.index(name), :]


def test_cmu_rest_pose():
    position = cmu_positions(torch.zeros(26, 3))
    left = [i for i, j in enumerate(CMU26.joints) if j.startswith("lf")]
    assert (position[left, 0] > 0).all()
    assert joint(position, "head")[1] > 0.4
    assert joint(position, "lfoot")[1] < -0.7
    assert joint(position, "ltoes")[2] > joint(position, "lfoot")[2]


def test_cmu_rest_pose_is_symmetric():
    position = cmu_positions(torch.zeros(26, 3))
    mirror = torch.tensor([-1.0, 1.0, 1.0])
    for name in ("femur", "foot", "humerus", "wrist", "hand"):
        torch.testing.assert_close(
            joint(position, f"l{name}") * mirror, joint(position, f"r{name}")
        )


def test_cmu_exponential_maps_store_minus_the_rotation():
    pose = torch.zeros(26, 3)
    pose[CMU26.index("lhumerus"), 2] = -torch.pi / 2
    position = cmu_positions(pose)
    up = joint(position, "lradius") - joint(position, "lhumerus")
    torch.testing.assert_close(
        up, torch.tensor([0.0, 0.275, 0.0]), rtol=0, atol=1e-5
    )


def test_cmu_leading_dimensions():
    pose = torch.randn(2, 5, 26, 3)
    torch.testing.assert_close(cmu_positions(pose)[1, 3],
                               cmu_positions(pose[1, 3]))  # fmt: skip


@pytest.mark.parametrize("shape", [(25, 3), (26, 4), (3, 26)])
def test_cmu_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"\[\*, 26, 3\], got \["):
        cmu_positions(torch.zeros(shape))


# Poses of Human3.6M ##########################################################

H36M20, H36M32 = Skeleton.get("h36m20"), Skeleton.get("h36m32")


def test_human36m_positions_by_the_recursion_of_the_field(dtype):
    """Published code multiplies rows by the matrices of the maps as they are
    in the file."""
    pose = torch.randn(2, 3, 20, 3, dtype=dtype)
    matrix = torch.eye(3, dtype=dtype).repeat(2, 3, 32, 1, 1)
    for row, name in enumerate(H36M20.joints):
        local = roma.rotvec_to_rotmat(pose[..., row, :])
        matrix[..., H36M32.index(name), :, :] = local
    place = torch.zeros(2, 3, 32, 3, dtype=dtype)
    for child, up in sorted(H36M32.bones):
        offset = torch.tensor(H36M32.offsets[child], dtype=dtype)
        above = matrix[..., up, :, :].clone()
        place[..., child, :] = offset @ above + place[..., up, :]
        matrix[..., child, :, :] = matrix[..., child, :, :] @ above
    found = joint_positions(pose, "h36m20", all_joints=True)
    torch.testing.assert_close(found, place, rtol=0, atol=1e-5)
    kept = [H36M32.index(name) for name in H36M20.joints]
    assert torch.equal(joint_positions(pose, H36M20), found[..., kept, :])


def test_human36m_rest_pose():
    """Upright, with the arms up: y is up, x to the left, z forward."""
    place = joint_positions(torch.zeros(20, 3), "h36m20")
    at = {name: place[i].tolist() for i, name in enumerate(H36M20.joints)}
    assert at["LeftUpLeg"] == pytest.approx([0.133, 0, 0], abs=1e-3)
    assert at["LeftFoot"] == pytest.approx([0.133, -0.897, 0], abs=1e-3)
    assert at["RightToeBase"] == pytest.approx(
        [-0.133, -0.897, 0.163], abs=1e-3
    )
    assert at["LeftShoulder"] == at["RightShoulder"] == at["Neck"]
    assert at["LeftHand"][1] > at["Head"][1] > 0.6


def test_positions_of_a_skeleton_with_offsets():
    turn = torch.randn(5, 3, 3)
    assert torch.equal(
        joint_positions(turn, ARM), forward_kinematics(turn, ARM)
    )
    with pytest.raises(ValueError, match=r"with 'offsets', got .*'ntu25'"):
        joint_positions(torch.zeros(25, 3), "ntu25")
    with pytest.raises(ValueError, match=r"\[\*, 20, 3\], got \[32, 3\]"):
        joint_positions(torch.zeros(32, 3), "h36m20")

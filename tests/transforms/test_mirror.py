import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.skeleton import (
    Skeleton,
    forward_kinematics,
    joint_positions,
    mirrored_joints,
)
from symgnn_pyg.transforms import Mirror

CMU38 = Skeleton.get("cmu38")


def mirrored(motion, skeleton, **kwargs):
    """Of one body, [V, C]."""
    data = SkeletonData(x=motion.unsqueeze(1), skeleton=skeleton)
    return Mirror(p=1.0, **kwargs)(data).x[:, 0]


def test_positions_by_hand(body):
    pose = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]])
    assert mirrored(pose, body).tolist() == [
        [-1, 2, 3],
        [-4, 5, 6],
        [-10, 11, 12],
        [-7, 8, 9],
    ]
    assert mirrored(pose, body, axis=2)[2].tolist() == [10, 11, -12]


def test_rotations_by_hand(body):
    pose = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]])
    assert mirrored(pose, body, kind="rotation").tolist() == [
        [1, -2, -3],
        [4, -5, -6],
        [10, -11, -12],
        [7, -8, -9],
    ]


@pytest.mark.parametrize(
    ("skeleton", "atol"), [("cmu26", 2e-6), ("h36m20", 2e-5)]
)
def test_mirrored_rotations_give_mirrored_positions(dtype, skeleton, atol):
    """The rest pose is symmetric, in Human3.6M to a hundredth of a millimetre,
    so the bodies are each other's images."""
    skeleton = Skeleton.get(skeleton)
    pose = torch.randn(skeleton.num_joints, 3, dtype=dtype)
    plain = joint_positions(pose, skeleton)
    turned = mirrored(pose, skeleton, kind="rotation")
    found = joint_positions(turned, skeleton)
    torch.testing.assert_close(
        found, mirrored(plain, skeleton), rtol=0, atol=atol
    )
    assert (found - plain).abs().max() > 0.1


def test_all_joints_of_a_recording():
    rotation = torch.randn(38, 3, dtype=torch.double)
    turned = mirrored(rotation, CMU38, kind="rotation")
    torch.testing.assert_close(
        forward_kinematics(turned, CMU38),
        mirrored(
            forward_kinematics(rotation, CMU38),
            CMU38,
        ),
    )


def test_twice_is_nothing(sample):
    data = sample(bodies=2)
    for kind in ("position", "rotation"):
        mirror = Mirror(p=1.0, kind=kind)
        twice = mirror(mirror(data))
        assert torch.equal(twice.x, data.x)
        assert torch.equal(twice.future, data.future)


def test_mask_is_swapped(sample):
    data = sample()
    data.mask = torch.rand(4, 6) < 0.5
    batch = Batch.from_data_list([data] * 50)
    done = Mirror()(batch)
    order = mirrored_joints(data.skeleton)
    for after in done.to_data_list():
        flipped = not torch.equal(after.x, data.x)
        expected = data.mask[order] if flipped else data.mask
        assert torch.equal(after.mask, expected)
    assert not torch.equal(done.mask, batch.mask)


def test_score_stays(body):
    pose = torch.rand(4, 3)
    assert torch.equal(mirrored(pose, body)[[0, 1, 3, 2], 2], pose[:, 2])


def test_bones_of_the_dual_skeleton(sample, body):
    dual = body.dual()
    pose = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert mirrored(pose, dual).tolist() == [
        [-1, 2, 3],
        [-7, 8, 9],
        [-4, 5, 6],
    ]


def test_no_such_axis(body):
    with pytest.raises(
        ValueError, match=r"axis=2.* more than 2 channels.*\[1, 4, 1, 2\]"
    ):
        mirrored(torch.ones(4, 2), body, axis=2)


def test_skeleton_without_sides_is_refused():
    names = [f"joint {i}" for i in range(3)]
    x = torch.arange(9.0).view(3, 1, 3)
    skeleton = Skeleton(names, [(1, 0), (2, 0)])
    with pytest.raises(ValueError, match=r"no left and right .*'pairs'"):
        Mirror(p=1.0)(SkeletonData(x=x, skeleton=skeleton))
    paired = Skeleton(names, [(1, 0), (2, 0)], pairs=[(1, 2)])
    mirrored = Mirror(p=1.0)(SkeletonData(x=x, skeleton=paired)).x
    assert torch.equal(mirrored, x[[0, 2, 1]] * torch.tensor([-1.0, 1, 1]))

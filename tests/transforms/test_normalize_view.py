import pytest
import roma
import torch
from torch_geometric.data import Batch

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import NormalizeView

VIEW = NormalizeView(("hip", "neck"), ("right hand", "left hand"))
# hip, neck, left hand, right hand: spine along y, shoulders along -z and up.
POSE = torch.tensor(
    [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 3.0, -2.0], [0.0, 1.0, 2.0]]
)


def test_by_hand(body):
    x = POSE.unsqueeze(1)
    done = VIEW(SkeletonData(x=x, future=x + 1, skeleton=body))
    # z was y, x was -z, and y, which is z cross x, was -x.
    expected = torch.tensor(
        [[0.0, 0.0, 0.0], [0.0, 0.0, 2.0], [2.0, 0.0, 3.0], [-2.0, 0.0, 1.0]]
    )
    torch.testing.assert_close(done.x[:, 0], expected)
    shift = torch.tensor([-1.0, -1.0, 1.0])
    torch.testing.assert_close(done.future[:, 0], expected + shift)


def test_one_rotation_for_the_sample(sample, dtype):
    data = sample(bodies=2, dtype=dtype)
    done = VIEW(data)
    before = torch.cat([data.x, data.future], dim=1).flatten(0, 1)
    after = torch.cat([done.x, done.future], dim=1).flatten(0, 1)
    rotation = torch.linalg.lstsq(before, after).solution.mT
    eye = torch.eye(3, dtype=dtype)
    close = {"rtol": 0, "atol": 1e-5}
    torch.testing.assert_close(rotation @ rotation.mT, eye, **close)
    torch.testing.assert_close(rotation.det(), eye[0, 0], **close)
    torch.testing.assert_close(before @ rotation.mT, after, **close)
    hip, neck, left, right = done.x[:4, 0]
    torch.testing.assert_close((neck - hip)[:2], 0 * eye[0, :2], **close)
    assert neck[2] > hip[2]
    assert (left - right)[1].abs() < 1e-5
    assert left[0] > right[0]


def test_view_does_not_matter(sample):
    data = sample()
    turn = roma.rotvec_to_rotmat(torch.tensor([0.4, -2.0, 1.0]))
    turned = SkeletonData(x=data.x @ turn.mT, skeleton=data.skeleton)
    torch.testing.assert_close(
        VIEW(turned).x, VIEW(data).x, rtol=1e-4, atol=1e-5
    )


def test_first_valid_frame(body):
    x = torch.zeros(4, 5, 3)
    x[1, 1] = 1.0  # The spine alone.
    x[1, 2], x[2, 2] = POSE[1], 3 * POSE[1]  # Parallel.
    x[:, 3], x[:, 4] = POSE, torch.randn(4, 3)
    done = VIEW(SkeletonData(x=x, skeleton=body))
    alone = VIEW(SkeletonData(x=POSE.unsqueeze(1), skeleton=body))
    torch.testing.assert_close(done.x[:, 3], alone.x[:, 0])
    torch.testing.assert_close(done.x[1, 2], torch.tensor([0.0, 0.0, 2.0]))


def test_no_valid_frame(sample, body):
    good, bad = sample(bodies=2), sample(bodies=2)
    bad.x[:4], bad.future[:4] = 0.0, 0.0
    with pytest.raises(ValueError, match=r"got none in samples \[1\]"):
        VIEW(Batch.from_data_list([good, bad]))


def test_a_second_body_may_be_absent(sample):
    data = sample(bodies=2)
    data.x[4:], data.future[4:] = 0.0, 0.0
    done = VIEW(data)
    assert done.x.isfinite().all()
    assert done.x[4:].eq(0).all()

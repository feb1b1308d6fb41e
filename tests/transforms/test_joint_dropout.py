import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import JointDropout


def test_lost_joints(sample):
    data = sample(bodies=500)
    done = JointDropout(0.3)(data)
    assert done.mask.dtype == torch.bool
    assert done.mask.shape == (2000, 6)
    seen = done.mask[:, 0]
    assert torch.equal(done.mask, seen[:, None].expand(2000, 6))
    # The standard error is sqrt(0.3 * 0.7 / 2000) = 0.01.
    assert abs(1 - seen.double().mean() - 0.3) < 0.03
    assert torch.equal(done.x[seen], data.x[seen])
    assert done.x[~seen].eq(0).all()
    assert torch.equal(done.future, data.future)
    child, parent = data.skeleton.bone_index
    x = done.x.view(500, 4, 6, 3)
    bone_x = (x[:, child] - x[:, parent]).flatten(0, 1)
    assert torch.equal(done.bone_x, bone_x)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_none_and_all(p, sample):
    data = sample()
    done = JointDropout(p)(data)
    assert torch.equal(done.mask, torch.full((4, 6), p == 0.0))
    assert torch.equal(done.x, data.x * (1 - p))


def test_not_a_number_is_lost_too(sample):
    data = sample()
    data.x[2] = torch.nan
    assert JointDropout(1.0)(data).x.eq(0).all()


def test_keeps_a_mask_that_is_there(sample):
    data = sample(bodies=50)
    data.mask = torch.rand(200, 6) < 0.5
    done = JointDropout(0.5)(data)
    lost = done.x.eq(0).all(dim=(1, 2))
    assert 0 < lost.sum() < 200
    assert torch.equal(done.mask, data.mask & ~lost[:, None])
    # What was not seen before keeps its features.
    assert torch.equal(done.x[~lost], data.x[~lost])


def test_twice(sample):
    once = JointDropout(0.4)(sample(bodies=50))
    twice = JointDropout(0.4)(once)
    assert not (twice.mask & ~once.mask).any()
    assert twice.mask.sum() < once.mask.sum()
    assert twice.x[~twice.mask].eq(0).all()


def test_batch_hands_the_mask_back(sample):
    batch = Batch.from_data_list([sample(bodies=b) for b in (1, 2)])
    done = JointDropout(0.5)(batch)
    first, second = done.to_data_list()
    assert torch.equal(torch.cat([first.mask, second.mask]), done.mask)
    assert second.x[~second.mask].eq(0).all()
    assert "mask" not in batch
    assert all("mask" not in data for data in batch.to_data_list())

import pytest
import torch

from symgnn_pyg.transforms import Reverse


def frames(data):
    return torch.cat([data.x, data.future], dim=1)


def test_what_came_last_is_observed(sample, dtype):
    data = sample(bodies=2, dtype=dtype, y=3)
    done = Reverse(p=1.0)(data)
    assert torch.equal(frames(done), frames(data).flip(1))
    assert done.x.shape == data.x.shape
    assert done.y.tolist() == [3]


@pytest.mark.parametrize("num_future", [0, 4])
def test_twice_is_nothing(sample, num_future):
    data = sample(bodies=2, num_future=num_future)
    reverse = Reverse(p=1.0)
    once = reverse(data)
    twice = reverse(once)
    assert not torch.equal(once.x, data.x)
    assert torch.equal(twice.x, data.x)
    assert torch.equal(twice.future, data.future)
    assert torch.equal(twice.bone_x, data.bone_x)


def test_future_joints_count_as_seen(sample):
    data = sample()
    data.mask = torch.zeros(4, 6, dtype=torch.bool)
    mask = Reverse(p=1.0)(data).mask
    assert mask.all(dim=0).tolist() == [True] * 4 + [False] * 2

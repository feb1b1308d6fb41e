import pytest
import torch
from torch_geometric.data import Batch

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


def test_probability(sample):
    batch = Batch.from_data_list([sample(bodies=2)] * 400)
    before, after = (
        frames(each).view(400, 8, 10, 3)
        for each in (batch, Reverse(0.3)(batch))
    )
    same = (after == before).flatten(1).all(dim=1)
    # The standard error is sqrt(0.3 * 0.7 / 400) = 0.023.
    assert abs(1 - same.double().mean() - 0.3) < 0.07
    assert torch.equal(after[~same], before[~same].flip(2))
    assert torch.equal(frames(Reverse(p=0.0)(batch)), frames(batch))


def test_future_joints_count_as_seen(sample):
    data = sample()
    data.mask = torch.zeros(4, 6, dtype=torch.bool)
    mask = Reverse(p=1.0)(data).mask
    assert mask.all(dim=0).tolist() == [True] * 4 + [False] * 2


def test_bad_probability():
    with pytest.raises(ValueError, match=r"'p' must lie between 0 and 1"):
        Reverse(p=-0.5)

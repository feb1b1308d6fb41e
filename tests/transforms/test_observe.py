import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import Observe


@pytest.mark.parametrize(
    ("ratio", "frames"),
    [(1, 10), (0.5, 5), (0.3, 3), (0.24, 2), (0.25, 3), (0.26, 3), (0.01, 1)],
)
def test_first_frames(ratio, frames, sample):
    data = sample(bodies=2, num_observed=10)
    done = Observe(ratio)(data)
    assert torch.equal(done.x, data.x[:, :frames])
    assert torch.equal(done.bone_x, data.bone_x[:, :frames])
    assert "future" not in done
    assert "future" in data


def test_mask_and_batch(sample):
    data = sample()
    data.mask = torch.rand(4, 6) < 0.5
    done = Observe(0.5)(Batch.from_data_list([data, data]))
    for after in done.to_data_list():
        assert torch.equal(after.x, data.x[:, :3])
        assert torch.equal(after.mask, data.mask[:, :3])
        assert "future" not in after


def test_shares_are_taken_as_written(sample):
    assert Observe(0.29)(sample(num_observed=50)).x.size(1) == 15

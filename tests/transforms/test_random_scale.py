import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import RandomScale


def test_one_factor_a_sample(sample):
    data = sample(bodies=2)
    batch = Batch.from_data_list([data] * 200)
    done = RandomScale((0.5, 2.0))(batch)
    for name in ("x", "future", "bone_x"):
        ratio = (done[name] / batch[name]).view(200, -1)
        low, high = ratio.amin(dim=1), ratio.amax(dim=1)
        torch.testing.assert_close(low, high)
        assert 0.5 - 1e-4 < low.min() < 0.55
        assert 1.95 < high.max() < 2.0 + 1e-4


def test_no_choice(sample):
    data = sample()
    assert torch.equal(RandomScale((2, 2))(data).future, 2 * data.future)

import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import TemporalCrop


def times(ratios, clip, number=400, size=(8, 3), dtype=torch.double):
    torch.manual_seed(0)
    batch = Batch.from_data_list([clip(*size, dtype=dtype)] * number)
    done = TemporalCrop(ratios)(batch)
    motion = torch.cat([done.x, done.future], dim=1).view(number, 4, -1, 3)
    torch.testing.assert_close(motion, motion[:, :1, :, :1].expand_as(motion))
    return motion[:, 0, :, 0]


def test_even_steps_within_the_motion(clip):
    time = times((0.4, 0.8), clip)
    assert time.shape == (400, 11)
    step = time.diff(dim=1)
    torch.testing.assert_close(step, step[:, :1].expand_as(step))
    share = (time[:, -1] - time[:, 0]) / 10
    assert 0.4 - 1e-9 <= share.min() < 0.41
    assert 0.79 < share.max() <= 0.8 + 1e-9
    assert 0 <= time.min() < 0.1
    assert 9.9 < time.max() <= 10


def test_a_part_lies_anywhere(clip):
    start = times((0.5, 0.5), clip)[:, 0]
    assert start.min() < 0.1
    assert start.max() > 4.9
    # The standard error of the mean is 5 / sqrt(12 * 400) = 0.07.
    assert abs(start.mean() - 2.5) < 0.22


def test_all_of_it(clip, dtype):
    time = times((1.0, 1.0), clip, number=5, dtype=dtype)
    assert torch.equal(time, torch.arange(11, dtype=dtype).expand(5, 11))


@pytest.mark.parametrize("low", [0.1, 1 - 1e-6, 1 - 1e-15])
def test_never_outside(low, clip):
    time = times((low, 1.0), clip, size=(97, 100))
    assert time.min() >= 0
    assert time.max() <= 196


def test_one_frame(clip):
    data = clip(1, 0)
    assert torch.equal(TemporalCrop()(data).x, data.x)

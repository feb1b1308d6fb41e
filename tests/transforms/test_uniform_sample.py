import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import UniformSample


def clip(body, num_observed=12, num_future=0):
    """Each feature is the time of its frame."""
    time = torch.arange(num_observed + num_future, dtype=torch.double)
    x = time.view(1, -1, 1).repeat(4, 1, 3)
    return SkeletonData(
        x=x[:, :num_observed], future=x[:, num_observed:], skeleton=body
    )


def times(transform, body, number=300, **kwargs):
    torch.manual_seed(0)
    batch = Batch.from_data_list([clip(body, **kwargs)] * number)
    x = transform(batch).x.view(number, 4, -1, 3)
    torch.testing.assert_close(x, x[:, :1, :, :1].expand_as(x))
    return x[:, 0, :, 0]


def test_middle_of_each_segment(body):
    done = UniformSample(4, random=False)(clip(body))
    # Segments of three frames: 0 1 2, 3 4 5, 6 7 8 and 9 10 11.
    assert done.x[0, :, 0].tolist() == [1.0, 4.0, 7.0, 10.0]


def test_all_frames(body):
    data = clip(body)
    assert torch.equal(UniformSample(12, random=False)(data).x, data.x)


def test_a_random_time_of_each_segment(body):
    found = times(UniformSample(4), body)
    assert found.shape == (300, 4)
    low = torch.tensor([0.0, 2.5, 5.5, 8.5])
    high = torch.tensor([2.5, 5.5, 8.5, 11.0])
    assert (found >= low - 1e-9).all()
    assert (found <= high + 1e-9).all()
    # Both ends of each segment are reached.
    assert (found.amin(dim=0) < low + 0.2).all()
    assert (found.amax(dim=0) > high - 0.2).all()


@pytest.mark.parametrize("random", [False, True])
def test_short_motion_is_stretched(random, body):
    found = times(UniformSample(7, random), body, num_observed=3)
    assert found.shape == (300, 7)
    assert (found.diff(dim=1) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 2


def test_future_frames_stay(body):
    data = clip(body, num_observed=8, num_future=3)
    done = UniformSample(2)(data)
    assert done.x.shape == (4, 2, 3)
    assert done.x.max() <= 7
    assert torch.equal(done.future, data.future)


def test_no_frames():
    with pytest.raises(TypeError, match=r"must be an integer, got 2\.5"):
        UniformSample(2.5)
    with pytest.raises(ValueError, match="'num_frames' must be at least 1"):
        UniformSample(0)

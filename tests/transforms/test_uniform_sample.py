import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import UniformSample


def times(transform, clip, num_observed=12):
    torch.manual_seed(0)
    clips = [clip(num_observed, 0, dtype=torch.double)] * 300
    x = transform(Batch.from_data_list(clips)).x.view(300, 4, -1, 3)
    torch.testing.assert_close(x, x[:, :1, :, :1].expand_as(x))
    return x[:, 0, :, 0]


def test_middle_of_each_segment(clip):
    done = UniformSample(4, random=False)(clip(12, 0))
    # Segments of three frames: 0 1 2, 3 4 5, 6 7 8 and 9 10 11.
    assert done.x[0, :, 0].tolist() == [1.0, 4.0, 7.0, 10.0]


def test_all_frames(clip):
    data = clip(12, 0)
    assert torch.equal(UniformSample(12, random=False)(data).x, data.x)


def test_a_random_time_of_each_segment(clip):
    found = times(UniformSample(4), clip)
    assert found.shape == (300, 4)
    low = torch.tensor([0.0, 2.5, 5.5, 8.5])
    high = torch.tensor([2.5, 5.5, 8.5, 11.0])
    assert (found >= low - 1e-9).all()
    assert (found <= high + 1e-9).all()
    # Both ends of each segment are reached.
    assert (found.amin(dim=0) < low + 0.2).all()
    assert (found.amax(dim=0) > high - 0.2).all()


@pytest.mark.parametrize("random", [False, True])
def test_short_motion_is_stretched(random, clip):
    found = times(UniformSample(7, random), clip, num_observed=3)
    assert found.shape == (300, 7)
    assert (found.diff(dim=1) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 2


def test_future_frames_stay(clip):
    data = clip(8, 3)
    done = UniformSample(2)(data)
    assert done.x.shape == (4, 2, 3)
    assert done.x.max() <= 7
    assert torch.equal(done.future, data.future)


def test_half_a_frame():
    with pytest.raises(TypeError, match=r"must be an integer, got 2\.5"):
        UniformSample(2.5)

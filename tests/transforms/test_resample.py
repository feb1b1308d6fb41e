import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import Resample


def clip(body, num_observed=6, num_future=4, **kwargs):
    """Each feature is the time of its frame."""
    x = (
        torch.arange(float(num_observed + num_future))
        .view(1, -1, 1)
        .repeat(4, 1, 3)
    )
    return SkeletonData(
        x=x[:, :num_observed],
        future=x[:, num_observed:],
        skeleton=body,
        **kwargs,
    )


def resampled(source, target, data):
    done = Resample(source, target)(data)
    assert torch.equal(done.x[0], done.x[-1])
    return done.x[0, :, 0].tolist(), done.future[0, :, 0].tolist()


def test_down(body):
    observed, future = resampled(120, 60, clip(body))
    assert observed == [0.0, 2.0, 4.0]
    assert future == [6.0, 8.0]


def test_up(body):
    observed, future = resampled(25, 50, clip(body))
    assert observed == [n / 2 for n in range(11)]
    assert future == [n / 2 for n in range(11, 19)]


def test_uneven(body):
    observed, future = resampled(3, 2, clip(body, 7, 4))
    assert observed == [0.0, 1.5, 3.0, 4.5, 6.0]
    assert future == [7.5, 9.0]


@pytest.mark.parametrize(
    ("source", "target"), [(0.27, 0.09), (0.3, 0.1), (29.97, 9.99), (3, 1)]
)
def test_no_rounding_moves_the_boundary(source, target, body):
    observed, future = resampled(source, target, clip(body, 31, 30))
    assert observed == [3.0 * n for n in range(11)]
    assert future == [3.0 * n for n in range(11, 21)]


def test_same_rate(sample):
    data = sample()
    done = Resample(30, 30)(data)
    assert torch.equal(done.x, data.x)
    assert torch.equal(done.future, data.future)


def test_there_and_back(sample, dtype):
    data = sample(dtype=dtype)
    back = Resample(90, 30)(Resample(30, 90)(data))
    torch.testing.assert_close(back.x, data.x)
    torch.testing.assert_close(back.future, data.future)


def test_no_frame_may_be_left_to_predict(body):
    observed, future = resampled(10, 1, clip(body, 6, 4))
    assert (observed, future) == ([0.0], [])


def test_mask_and_batch(body):
    mask = torch.ones(4, 6, dtype=torch.bool)
    mask[1, 2] = mask[2, 1] = False
    batch = Batch.from_data_list([clip(body, mask=mask)] * 2)
    first, second = Resample(2, 1)(batch).to_data_list()
    assert first.mask.shape == (4, 3)
    assert first.mask.logical_not().nonzero().tolist() == [[1, 1]]
    assert torch.equal(second.mask, first.mask)
    assert first.bone_x.shape == (3, 3, 3)


@pytest.mark.parametrize("rates", [(120, 25), (3, 2), (25, 25), (20, 25)])
def test_required_frames_are_the_fewest(rates):
    transform = Resample(*rates)
    given = {n: transform.num_observed(n) for n in range(1, 60)}
    for count in set(given.values()):
        fewest = min(n for n, new in given.items() if new == count)
        assert transform.num_required(count) == fewest


def test_frames_that_no_motion_gives():
    # One old frame gives one new frame, and two give three.
    with pytest.raises(ValueError, match="never gives 2 observed frames"):
        Resample(1, 2).num_required(2)


@pytest.mark.parametrize("rates", [(120, 25), (3, 2), (25, 25), (20, 25)])
def test_restores_frames_up_to_the_last_prediction(body, rates):
    transform = Resample(*rates)
    x = torch.arange(40.0).view(1, 1, 40, 1)  # Each frame holds its time.
    sample = torch.zeros(1).long()
    new = transform.transform(x, body, sample)
    future = x[:, :, 11:], new[:, :, transform.num_observed(11) :]
    restored = transform.restore(future[1], x[:, :, :11], body, sample)
    assert restored.size(2) == transform.num_restored(11, future[1].size(2))
    last = float(new[0, 0, -1, 0])
    expected = future[0][:, :, : int(last + 1e-4) - 10]
    torch.testing.assert_close(restored, expected)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_bad_rates(rate):
    with pytest.raises(ValueError, match=r"'source_rate' must be positive"):
        Resample(rate, 1)
    with pytest.raises(ValueError, match=r"'target_rate' must be positive"):
        Resample(1, rate)

import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import Resample


@pytest.mark.parametrize(
    ("rates", "sizes", "observed", "future"),
    [
        ((120, 60), (6, 4), [0, 2, 4], [6, 8]),
        ((25, 50), (6, 4), [n / 2 for n in range(11)],
         [n / 2 for n in range(11, 19)]),
        ((3, 2), (7, 4), [0, 1.5, 3, 4.5, 6], [7.5, 9]),
        # No frame may be left to predict.
        ((10, 1), (6, 4), [0], []),
        # No rounding moves the boundary.
        *((rates, (31, 30), [*range(0, 31, 3)], [*range(33, 61, 3)])
          for rates in ((0.27, 0.09), (0.3, 0.1), (29.97, 9.99), (3, 1))),
    ],
)  # fmt: skip
def test_times(clip, rates, sizes, observed, future):
    done = Resample(*rates)(clip(*sizes))
    assert torch.equal(done.x[0], done.x[-1])
    assert done.x[0, :, 0].tolist() == observed
    assert done.future[0, :, 0].tolist() == future


def test_there_and_back(sample, dtype):
    data = sample(dtype=dtype)
    back = Resample(90, 30)(Resample(30, 90)(data))
    torch.testing.assert_close(back.x, data.x)
    torch.testing.assert_close(back.future, data.future)


def test_mask_and_batch(clip):
    mask = torch.ones(4, 6, dtype=torch.bool)
    mask[1, 2] = mask[2, 1] = False
    batch = Batch.from_data_list([clip(mask=mask)] * 2)
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

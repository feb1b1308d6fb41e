import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence, SequenceStore
from symgnn_pyg.datasets import MotionDataset, Window
from symgnn_pyg.datasets.motion_dataset import all_windows
from symgnn_pyg.errors import DataError

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])


@pytest.fixture
def store(tmp_path):
    """Two sequences; each number tells its frame."""
    sequences = [
        MotionSequence(
            f"s{n}",
            np.arange(n)[:, None, None] + np.zeros((n, 3, 2)) + 100 * k,
            k,
        )
        for k, n in enumerate((20, 6))
    ]
    return SequenceStore.write(
        tmp_path / "s.h5", sequences, ARM, ["up", "down"]
    )


def test_observed_and_future_follow_each_other(store):
    dataset = MotionDataset(store, [Window(0, 3), Window(1, 0)], 3, 2, 2)
    data = dataset[0]
    assert data.x[1, :, 0].tolist() == [3, 5, 7]
    assert data.future[1, :, 0].tolist() == [9, 11]
    assert data.y.tolist() == [0]
    assert data.bone_x.shape == (2, 3, 2)
    assert repr(dataset) == "MotionDataset(2, observed=3, future=2)"


def test_no_future(store):
    data = MotionDataset(store, [Window(0, 0)], 4, 0)[0]
    assert data.x.shape == (3, 4, 2)
    assert data.future.shape == (3, 0, 2)


def test_batch(store):
    dataset = MotionDataset(store, [Window(0, 0), Window(1, 1)], 3, 2)
    (batch,) = DataLoader(dataset, 2)
    assert batch.x.shape == (6, 3, 2)
    assert batch.x[3, :, 0].tolist() == [101, 102, 103]
    assert batch.y.tolist() == [0, 1]


def test_transform(store):
    def double(data):
        data.x = 2 * data.x
        return data

    dataset = MotionDataset(store, [Window(0, 1)], 2, 1, transform=double)
    assert dataset[0].x[0, :, 0].tolist() == [2, 4]


@pytest.mark.parametrize(("stride", "skip"), [(1, 0), (2, 1), (3, 0)])
def test_all_windows_fit_and_none_is_missing(store, stride, skip):
    windows = all_windows(store, [0], 3, 2, stride, skip)
    starts = [window.start for window in windows]
    last = 20 - 1 - 4 * stride
    assert starts == list(range(skip, last + 1))


def test_short_sequences_are_named(store):
    with pytest.warns(UserWarning, match=r"window of 10 frames: s6$"):
        windows = all_windows(store, [0, 1], 8, 2)
    assert {window.sequence for window in windows} == {0}


def test_no_windows(store):
    with pytest.raises(DataError, match=r"s\.h5.*30 \+ 2 .*stride 4"):
        MotionDataset(store, [], 30, 2, 4)


@pytest.mark.parametrize(
    ("observed", "future", "stride"), [(0, 1, 1), (1, -1, 1), (1, 1, 0)]
)
def test_windows_that_cannot_be(store, observed, future, stride):
    with pytest.raises(
        ValueError, match=rf"got {observed}, {future} and {stride}"
    ):
        MotionDataset(store, [Window(0, 0)], observed, future, stride)


def test_standardize_counts_each_frame_once(store):
    windows = all_windows(store, [0], 3, 2)
    transform = MotionDataset(store, windows, 3, 2).standardize()
    frames = store[0]
    torch.testing.assert_close(transform.mean, frames.mean(dim=0))
    torch.testing.assert_close(
        transform.std, frames.std(dim=0, correction=0), rtol=1e-4, atol=0
    )

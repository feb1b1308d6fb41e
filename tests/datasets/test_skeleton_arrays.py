import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets.skeleton_arrays import SkeletonArrays
from symgnn_pyg.errors import DataError

ARM = Skeleton.from_bones([("elbow", "shoulder"), ("hand", "elbow")])
SHORT = {"num_observed": 3, "num_future": 2}
FRAMES = np.random.default_rng(0).normal(size=(20, 6, 3, 3)).astype("f4")
LABELS = ["up", "down"] * 10


def test_one_array():
    dataset = SkeletonArrays(FRAMES, LABELS, ARM, **SHORT)
    assert repr(dataset) == "SkeletonArrays(40, num_observed=3, num_future=2)"
    assert dataset.classes == ["down", "up"]
    data = dataset[3]  # The second window of the second recording.
    motion = torch.cat([data.x, data.future], dim=1).transpose(0, 1)
    assert torch.equal(motion, torch.from_numpy(FRAMES[1, 1:6]))
    assert data.y.tolist() == [0]
    (batch,) = DataLoader(dataset, 40)
    assert batch.x.shape == (120, 3, 3)


def test_tensors_of_any_length_and_number_of_bodies():
    motion = torch.arange(2 * 7 * 9, dtype=torch.double).view(2, 7, 3, 3)
    motion.requires_grad_()
    dataset = SkeletonArrays(
        [motion, motion[0, :5]], torch.tensor([1, 0]), ARM, **SHORT
    )
    assert dataset.classes == ["0", "1"]
    assert len(dataset) == 3 + 1
    assert dataset[0].x.shape == (6, 3, 3)
    assert torch.equal(dataset[3].x, motion[0, :3].transpose(0, 1).float())
    assert dataset[3].y.tolist() == [0]


@pytest.mark.parametrize("bodies", [1, 2])
def test_arrays_of_st_gcn(bodies):
    """[N, C, T, V, M], as in train_data_joint.npy, with padded persons."""
    motion = np.random.default_rng(0).normal(size=(4, 2, 60, 3, 3))
    motion[:, bodies:] = 0  # [N, M, T, V, C]
    array = motion.transpose(0, 4, 2, 3, 1)
    for axes in ("NCTVM", "CTVM"):
        dataset = SkeletonArrays(
            array, [0, 1] * 2, ARM, axes=axes, samples="clips", num_observed=50,
            num_future=10,
        )  # fmt: skip
        assert dataset[0].num_bodies.item() == bodies
        x = dataset[0].x.view(bodies, 3, 50, 3)  # [M, V, T, C]
        expected = torch.from_numpy(motion[0, :bodies, :50]).float()
        torch.testing.assert_close(x.transpose(1, 2), expected)
    with pytest.raises(DataError, match=r"arrays\[0\] has .*axes='CTVM'"):
        SkeletonArrays(array, [0, 1] * 2, ARM, **SHORT)


def masked():
    array = np.ma.masked_array(FRAMES[0].copy(), mask=False)
    array.data[2, 1] = 1e6
    array[2, 1] = np.ma.masked
    return array


def test_bfloat16():
    frames = torch.tensor(FRAMES).bfloat16()
    given = SkeletonArrays(frames, LABELS, ARM, **SHORT)
    expected = SkeletonArrays(frames.float(), LABELS, ARM, **SHORT)
    assert torch.equal(given[0].x, expected[0].x)


def test_masked_numbers_are_missing():
    with pytest.raises(
        DataError, match=r"arrays\[0\]: frame 2 .*fill_gaps=True"
    ):
        SkeletonArrays([masked()], ["up"], ARM, **SHORT)
    dataset = SkeletonArrays([masked()], ["up"], ARM, fill_gaps=True, **SHORT)
    expected = FRAMES[0, [1, 3], 1].mean(axis=0)
    np.testing.assert_allclose(dataset[0].x[1, 2], expected, rtol=1e-5)


def test_without_labels():
    dataset = SkeletonArrays(FRAMES, None, ARM, **SHORT)
    assert dataset.classes == []
    assert len(dataset) == 40
    # The label that the losses of torch ignore.
    assert dataset[0].y.tolist() == [-100]


def test_some_without_labels():
    labels = ["up", None, "down", None] * 5
    dataset = SkeletonArrays(FRAMES, labels, ARM, **SHORT)
    assert dataset.classes == ["down", "up"]
    found = dataset.labels.unique(return_counts=True)
    assert [each.tolist() for each in found] == [[-100, 0, 1], [20, 10, 10]]
    with pytest.raises(ValueError, match="several at 1"):
        SkeletonArrays(FRAMES, ["up", ["up", "down"]] * 10, ARM, **SHORT)


PROBABILITIES = np.array([[0.25, 0.75], [1.0, 1.0], [0.0, 0.0], [1, 0]] * 5)


@pytest.mark.parametrize("make", [np.array, torch.tensor, np.ndarray.tolist])
def test_probabilities_as_labels(make):
    dataset = SkeletonArrays(FRAMES, make(PROBABILITIES), ARM, **SHORT)
    assert dataset.classes == ["0", "1"]
    expected = torch.from_numpy(PROBABILITIES).float()
    torch.testing.assert_close(dataset.labels, expected.repeat_interleave(2, 0))
    assert dataset[2].y.tolist() == [[1, 1]]
    loaders = (
        DataLoader(dataset, batch_size=3),
        SkeletonLoader(dataset, batch_size=3),
    )
    for one, other in zip(*loaders, strict=True):
        assert torch.equal(one.y, other.y)
        assert one.y.shape == (one.num_graphs, 2)
        assert torch.equal(one[0].y, other[0].y)
    part = dataset[[3, 6]]
    assert part.labels.tolist() == [[1, 1], [1, 0]]


def test_recordings_with_probabilities_are_dealt_by_the_largest():
    arguments = {"shares": (0.5, 0.5, 0), "classes": ["a", "b"], **SHORT}
    for split in ("train", "val"):
        dataset = SkeletonArrays(
            FRAMES, PROBABILITIES, ARM, split=split, **arguments
        )
        largest = dataset.labels[::2].argmax(dim=1)
        assert 2 <= int(largest.sum()) <= 3


@pytest.mark.parametrize(
    ("labels", "classes", "fault"),
    [
        ([[0.5, 1.5]] * 20, None, r"from 0 to 1, got \[0\.5, 1\.5\] at 0"),
        ([[0.5, 0.5]] * 19 + [[np.nan, 1]], None, r"from 0 to 1, got .* at 19"),
        ([[0, 1]] * 20, ["a", "b", "c"], r"shape \[N, 3\], got \[0, 1\] at 0"),
        ([[0, 1]] * 19 + [[1]], None, r"shape \[N, K\], got"),
        ([["a", "b"]] * 20, None, r"shape \[N, K\], got \['a', 'b'\] at 0"),
        (np.zeros((20, 2, 2)), None, r"shape \[N, K\], got"),
        (torch.tensor([[0], [1]] * 10), None, r"shape \[N, K\], got tensor"),
    ],
)
def test_bad_probabilities(labels, classes, fault):
    with pytest.raises(ValueError, match=fault):
        SkeletonArrays(FRAMES, labels, ARM, classes=classes, **SHORT)


def test_labels_of_pandas():
    labels = np.array([0.0, 1.0] * 10)
    dataset = SkeletonArrays(FRAMES, labels, ARM, **SHORT)
    assert dataset.classes == ["0", "1"]
    assert dataset.labels[::2].tolist() == [0, 1] * 10


@pytest.mark.parametrize("labels", [[1, 2], [0, 2], [101, 102]])
def test_classes_that_nobody_has(labels):
    with pytest.raises(ValueError, match=r"indices from 0 without gaps, got"):
        SkeletonArrays(FRAMES, labels * 10, ARM, **SHORT)
    names = [f"class {i}" for i in range(103)]
    dataset = SkeletonArrays(FRAMES, labels * 10, ARM, classes=names, **SHORT)
    assert dataset.classes == names
    assert set(dataset.labels.tolist()) == set(labels)


def test_relative_paths_outlive_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = SkeletonArrays(FRAMES, LABELS, ARM, path="own.h5", **SHORT)
    monkeypatch.chdir("/")
    assert dataset[0].x.shape == (3, 3, 3)


def test_splits_share_no_recording():
    splits = [
        SkeletonArrays(FRAMES, LABELS, ARM, split=split, **SHORT)
        for split in ("train", "val", "test")
    ]
    found = [set(split.windows.sequence.tolist()) for split in splits]
    assert [len(f) for f in found] == [16, 2, 2]
    assert len(set.union(*found)) == 20
    # They are written once.
    assert len({split.store.path for split in splits}) == 1


def test_clips_and_classes():
    dataset = SkeletonArrays(
        FRAMES, [1] * 20, ARM, samples="clips", classes=["up", "down"], **SHORT
    )
    assert len(dataset) == 20
    assert dataset.classes == ["up", "down"]
    assert dataset[0].y.tolist() == [1]


@pytest.mark.parametrize("classes", [{"up", "down"}, {"up": 0, "down": 1}])
def test_classes_without_an_order(classes):
    with pytest.raises(TypeError, match="'classes' to be a list of names"):
        SkeletonArrays(FRAMES, LABELS, ARM, classes=classes, **SHORT)


@pytest.mark.parametrize("name", ["num_observed", "num_future", "stride"])
@pytest.mark.parametrize("size", [2.0, "2", None])
def test_sizes_of_another_type(name, size):
    with pytest.raises(TypeError, match=f"'{name}' must be an integer"):
        SkeletonArrays(FRAMES, LABELS, ARM, **{**SHORT, name: size})


def test_store(tmp_path):
    path = tmp_path / "own.h5"
    one = SkeletonArrays(FRAMES, LABELS, ARM, path=path, **SHORT)
    again = SkeletonArrays(FRAMES, LABELS, ARM, path=path, **SHORT)
    assert torch.equal(one[0].x, again[0].x)
    with pytest.raises(DataError, match=r"own\.h5 holds other data"):
        SkeletonArrays(2 * FRAMES, LABELS, ARM, path=path, **SHORT)


def test_another_process(tmp_path):
    """It reads a data set that was pickled, as a spawned worker does, and
    takes a temporary store with it.
    """
    path = tmp_path / "own.h5"
    dataset = SkeletonArrays(FRAMES, LABELS, ARM, path=path, **SHORT)
    script = (
        "import pickle, sys\n"
        "import numpy as np\n"
        "dataset = pickle.load(sys.stdin.buffer)\n"
        "print(*dataset[3].x.flatten().tolist())\n"
        "frames = np.ones((1, 80, 3, 3))\n"
        "path = type(dataset)(frames, ['up'], dataset.skeleton).store.path\n"
        "assert path.exists()\n"
        "print(path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(dataset),
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    numbers, store = done.stdout.decode().splitlines()
    expected = dataset[3].x.flatten().tolist()
    assert [*map(float, numbers.split())] == expected
    assert not Path(store).parent.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": LABELS[:-1]}, r"20 'arrays' and 19 'labels'"),
        (
            {"labels": [0.5] * 20},
            r"'labels' must be names or indices, got 0\.5 at 0",
        ),
        ({"labels": ["a"] * 19 + [1]}, r"all names or all indices, got both"),
        ({"labels": [-1] * 20}, r"indices from 0 .*got -1.* pass None where"),
        ({"classes": ["up"]}, r"label 'down' is not one of the 1 classes up"),
        ({"labels": [1] * 20, "classes": ["up"]}, r"label 1 is not one"),
        ({"arrays": FRAMES + 0j}, r"arrays\[0\] has elements of type complex"),
        ({"arrays": FRAMES[:, :, :2]}, r"\[6, 2, 3\], .* V = 3 joints"),
        ({"arrays": FRAMES[:, 0]}, r"\[3, 3\], expected \[T, V, C\] or"),
        ({"arrays": FRAMES * np.nan}, r"arrays\[0\]: frame 0 holds a number"),
        ({"arrays": [], "labels": []}, r"no sequences to store"),
        ({"split": "all"}, r"'split' must be one of"),
        ({"num_observed": 9}, r"no sequence has the 9 \+ 2 frames"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*too short for a window")
def test_bad_arguments(changes, message):
    arguments = {"arrays": FRAMES, "labels": LABELS, "skeleton": ARM, **SHORT}
    with pytest.raises(ValueError, match=message):
        SkeletonArrays(**{**arguments, **changes})


@pytest.mark.parametrize("kind", ["position", "rotation"])
def test_padding_is_noted(kind):
    arrays = np.ones((2, 9, 3, 3))
    arrays[1, 6:] = 0
    with warnings.catch_warnings(record=True) as caught:
        dataset = SkeletonArrays(arrays, None, ARM, kind=kind, **SHORT)
    found = [str(each.message) for each in caught]
    text = "arrays[1]: the last 3 of 9 frames are zero: cut them if they are"
    assert [f"{text} padding"] * (kind == "position") == found
    np.testing.assert_array_equal(dataset.store[1][0], arrays[1])

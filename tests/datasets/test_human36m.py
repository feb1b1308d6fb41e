import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg.datasets.human36m import Human36M
from symgnn_pyg.errors import DataError
from symgnn_pyg.skeleton import Skeleton
from tests.datasets.motion_folder import names

ACTIONS = (
    "walking", "eating", "smoking", "discussion", "directions", "greeting",
    "phoning", "posing", "purchases", "sitting", "sittingdown", "takingphoto",
    "waiting", "walkingdog", "walkingtogether",
)  # fmt: skip
JOINTS = (
    1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 24, 25, 26, 27,
)  # fmt: skip
SMALL = {"num_observed": 3, "num_future": 2, "stride": 1}


@pytest.fixture(scope="module")
def write(write_recording):
    return partial(write_recording, columns=99)


@pytest.fixture(scope="module")
def complete(tmp_path_factory, write):
    """All 210 files; those of subject 5 are long enough for its windows."""
    root = tmp_path_factory.mktemp("complete") / "h36m"
    seed = 0
    for subject in (1, 5, 6, 7, 8, 9, 11):
        for action in ACTIONS:
            for take in (1, 2):
                seed += 1
                rows = 180 if subject == 5 else 6
                write(root / f"S{subject}/{action}_{take}.txt", rows, seed)
    return root


@pytest.fixture
def recordings(complete, tmp_path):
    """A copy of all files that a test may spoil."""
    return Path(shutil.copytree(complete, tmp_path / "h36m"))


@pytest.fixture
def walking(tmp_path, write):
    """Only walking, as long as in the data set."""
    for subject in (1, 6, 7, 8, 9, 11):
        for take in (1, 2):
            write(tmp_path / f"h36m/S{subject}/walking_{take}.txt", 9, subject)
    write(tmp_path / "h36m/S5/walking_1.txt", 3000, 51)
    write(tmp_path / "h36m/S5/walking_2.txt", 2521, 52)
    return tmp_path / "h36m"


def open_all(root, tmp_path, split="train", **arguments):
    return Human36M(
        root, split, **{**SMALL, "path": tmp_path / "x.h5", **arguments}
    )


def test_walking_windows_as_published(walking, tmp_path):
    """Their lengths, 1500 and 1261, count frames at the stride."""
    dataset = Human36M(walking, "test", actions=["walking"])
    starts = [window.start // 2 for window in dataset.windows]
    assert starts == [1087, 955, 1145, 332, 660, 304, 201, 54]
    assert all(window.start % 2 == 0 for window in dataset.windows)
    recordings = [dataset.store.names[w.sequence] for w in dataset.windows]
    assert recordings == ["S5/walking_1", "S5/walking_2"] * 4
    assert dataset[0].x.shape == (20, 50, 3)
    table = np.loadtxt(walking / "S5/walking_1.txt", np.float32, delimiter=",")
    future = table[2 * 1087 + 100 : 2 * 1087 + 150 : 2, 6:9]
    np.testing.assert_array_equal(dataset[0].future[0], future)


def test_published_windows_with_other_lengths(walking, tmp_path):
    """The present of a window stays where it is."""
    full = open_all(walking, tmp_path, "test", actions=["walking"],
                    num_observed=50, num_future=100, stride=2)  # fmt: skip
    less = open_all(walking, tmp_path, "test", actions=["walking"],
                    num_observed=10, num_future=4, stride=2)  # fmt: skip
    for a, b in zip(full, less, strict=True):
        assert torch.equal(a.x[:, -10:], b.x)
        assert torch.equal(a.future[:, :4], b.future)


def test_sample(complete, tmp_path):
    dataset = open_all(complete, tmp_path)
    (batch,) = DataLoader(dataset, len(dataset))
    window = dataset.windows[-1]
    file = complete / dataset.store.sources[window.sequence]
    table = np.loadtxt(file, np.float32, delimiter=",")[window.start :]
    motion = torch.cat([batch.x, batch.future], dim=1)[-20:]
    for row, joint in enumerate(JOINTS):
        columns = table[:5, 3 + 3 * joint : 6 + 3 * joint]
        np.testing.assert_array_equal(motion[row], columns)
    assert dataset.skeleton == Skeleton.get("h36m20")
    assert str(dataset) == "Human36M(300, num_observed=3, num_future=2)"


def test_used_joints_hold_the_moving_dimensions():
    """Those of the protocol that are no global translation or rotation."""
    moving = [*range(6, 10), *range(12, 16), *range(21, 25), *range(27, 31),
              *range(36, 48), *range(51, 58), *range(60, 63), *range(75, 82),
              *range(84, 87)]  # fmt: skip
    content = ",".join(map(str, range(99))).encode()
    assert set(moving) <= set(Human36M.parse(content, "x").ravel().astype(int))
    assert Human36M.parse(content, "x").shape == (1, 20, 3)


def test_splits(complete, tmp_path):
    recordings = {
        split: names(open_all(complete, tmp_path, split))
        for split in ("train", "val", "test")
    }
    subjects = {
        split: {name.partition("/")[0] for name in found}
        for split, found in recordings.items()
    }
    assert subjects == {
        "train": {"S1", "S6", "S7", "S8", "S9"},
        "val": {"S11"},
        "test": {"S5"},
    }
    assert [len(found) for found in recordings.values()] == [150, 30, 30]


@pytest.mark.parametrize("take", [1, 2])
def test_windows_need_both_recordings(recordings, tmp_path, take):
    """Only one would give other windows than the published ones. All absent
    files are named at once."""
    absent = [f"S5/eating_{take}.txt", f"S5/posing_{take}.txt"]
    for name in absent:
        (recordings / name).unlink()
    with (
        pytest.warns(UserWarning, match="lacks 2 files"),
        pytest.raises(
            DataError,
            match=rf"'eating', 'posing' are drawn .*{', '.join(absent)} are",
        ),
    ):
        open_all(recordings, tmp_path, "test", allow_missing=True)
    rest = [a for a in ACTIONS if a not in ("eating", "posing")]
    dataset = open_all(recordings, tmp_path, "test", actions=rest)
    assert len(dataset) == 13 * 8


def test_training_file_that_is_a_test_file(recordings, tmp_path):
    for copy in ("S1/eating_1.txt", "S11/phoning_2.txt"):
        shutil.copy(recordings / "S5/smoking_2.txt", recordings / copy)
    message = (
        r"S1/eating_1\.txt equals S5/smoking_2\.txt, "
        r"S11/phoning_2\.txt equals S5/smoking_2\.txt\..* delete"
    )
    for split in ("train", "val", "test"):
        with pytest.raises(DataError, match=message):
            open_all(recordings, tmp_path, split)
    for copy in ("S1/eating_1.txt", "S11/phoning_2.txt"):
        (recordings / copy).unlink()
    for split in ("train", "val", "test"):
        with pytest.warns(UserWarning, match="lacks 2 files"):
            open_all(recordings, tmp_path, split, allow_missing=True)


def test_training_files_may_be_alike(recordings, tmp_path):
    shutil.copy(recordings / "S1/eating_1.txt", recordings / "S6/eating_1.txt")
    assert len(open_all(recordings, tmp_path)) == 300


def test_shortest_test_recording(recordings, tmp_path, write):
    """167 frames at stride 2 leave one start, 16."""
    arguments = {"actions": ["walking"], "stride": 2}
    for take in (1, 2):
        write(recordings / f"S5/walking_{take}.txt", 333, take)
    dataset = open_all(recordings, tmp_path, "test", **arguments)
    assert {w.start + 2 * 3 for w in dataset.windows} == {2 * (16 + 50)}
    write(recordings / "S5/walking_2.txt", 332)
    with pytest.raises(DataError, match=r"walking_2\.txt: 166 frames at stri"):
        open_all(recordings, tmp_path, "test", **arguments)


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({"split": "test", "num_observed": 51}, "observe 50 .* 51 and 2"),
        ({"split": "test", "num_future": 101}, "leave 100 .* 3 and 101"),
    ],
)
def test_bad_arguments(complete, tmp_path, arguments, culprit):
    with pytest.raises(ValueError, match=culprit):
        open_all(complete, tmp_path, **arguments)
    assert not os.listdir(tmp_path)

import os
import shutil
import warnings

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg.datasets import CMUMocap
from symgnn_pyg.errors import DataError
from symgnn_pyg.metrics import MeanAngleError
from symgnn_pyg.skeleton.layouts import CMU26_IN_38
from tests.datasets.motion_folder import names

HORIZONS = (80, 160, 320, 400, 560, 1000)
ZERO_VELOCITY = {
    "basketball": (0.488, 0.821, 1.404, 1.640, 2.048, 2.831),
    "jumping": (0.363, 0.616, 1.484, 1.683, 1.988, 2.027),
    "running": (0.563, 0.995, 1.381, 1.459, 1.573, 1.543),
    "soccer": (0.274, 0.477, 0.922, 1.096, 1.362, 1.839),
    "walking": (0.407, 0.602, 0.832, 0.951, 1.085, 1.338),
    "washwindow": (0.340, 0.567, 0.896, 1.093, 1.301, 1.468),
}
SMALL = {"num_observed": 3, "num_future": 2, "stride": 1}


@pytest.fixture(scope="module")
def real(cmu_mocap, tmp_path_factory):
    """The real test split, parsed once."""
    store = tmp_path_factory.mktemp("real") / "cmu.h5"

    def open_split(split="test", **arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return CMUMocap(
                cmu_mocap, split, allow_missing=True, path=store, **arguments
            )

    return open_split


@pytest.mark.parametrize("action", ZERO_VELOCITY)
def test_zero_velocity_as_published(real, action):
    dataset = real(actions=[action])
    (batch,) = DataLoader(dataset, 8)
    metric = MeanAngleError(26, 25)
    metric.update(batch.x[:, -1:].expand_as(batch.future), batch.future)
    error = metric.compute()[[ms // 40 - 1 for ms in HORIZONS]]
    published = torch.tensor(ZERO_VELOCITY[action], dtype=torch.double)
    torch.testing.assert_close(error, published, rtol=0, atol=6e-4)


def test_running_windows_as_published(real):
    starts = [window.start for window in real(actions=["running"]).windows]
    assert [start // 2 for start in starts] == [2, 6, 4, 3, 1, 3, 1, 4]
    assert all(start % 2 == 0 for start in starts)


def test_real_missing_files(cmu_mocap, tmp_path):
    with pytest.raises(DataError, match=r"test/directing_traffic/directing_"):
        CMUMocap(
            cmu_mocap, actions=["directing_traffic"], path=tmp_path / "x.h5"
        )


def open_all(root, tmp_path, split="train", **arguments):
    return CMUMocap(
        root, split, **{**SMALL, "path": tmp_path / "x.h5", **arguments}
    )


def same(one, other):
    return len(one) == len(other) and all(
        torch.equal(a.x, b.x)
        and torch.equal(a.future, b.future)
        and torch.equal(a.y, b.y)
        for a, b in zip(one, other, strict=True)
    )


def test_sample(complete_recordings, tmp_path):
    dataset = open_all(complete_recordings, tmp_path)
    data = dataset[0]
    assert data.x.shape == (26, 3, 3)
    assert data.future.shape == (26, 2, 3)
    path = complete_recordings / "train/basketball/basketball_1.txt"
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    for row, joint in enumerate(CMU26_IN_38):
        columns = table[1:6, 3 + 3 * joint : 6 + 3 * joint]
        seen = torch.cat([data.x[row], data.future[row]]).numpy()
        np.testing.assert_array_equal(seen, columns)


def test_splits_share_no_recording(complete_recordings, tmp_path):
    found = {
        split: names(open_all(complete_recordings, tmp_path, split))
        for split in ("train", "val", "test")
    }
    assert [len(found[split]) for split in found] == [32, 8, 8]
    assert len(set.union(*found.values())) == 48
    assert all(name.startswith("test/") for name in found["test"])
    assert all(name.endswith("_5") for name in found["val"])


@pytest.mark.parametrize("split", ["train", "val"])
def test_pose_of_the_first_row_is_skipped(complete_recordings, tmp_path, split):
    dataset = open_all(complete_recordings, tmp_path, split)
    assert min(window.start for window in dataset.windows) == 1
    assert all(data.x.max() < 9 for data in dataset)
    assert len(dataset) == (32 if split == "train" else 8) * (12 - 1 - 5 + 1)


def test_both_phases_of_a_stride(complete_recordings, tmp_path):
    dataset = open_all(complete_recordings, tmp_path, stride=2)
    assert {window.start % 2 for window in dataset.windows} == {0, 1}
    dense = open_all(
        complete_recordings, tmp_path, num_observed=5, num_future=4
    )
    assert torch.equal(dataset[0].x, dense[0].x[:, ::2])


def test_labels_stay_the_same(complete_recordings, tmp_path):
    full = open_all(complete_recordings, tmp_path)
    few = open_all(complete_recordings, tmp_path, actions=["soccer", "walking"])
    assert few.classes == full.classes
    assert few.num_classes == 8
    labels = {int(data.y) for data in few}
    assert {few.classes[label] for label in labels} == {"soccer", "walking"}


def test_few_actions_need_only_their_files(recordings, tmp_path):
    shutil.rmtree(recordings / "train" / "jumping")
    dataset = open_all(recordings, tmp_path, actions=["running"])
    assert dataset.missing == []


@pytest.mark.parametrize("form", ["zip", "enclosed zip", "enclosed folder"])
def test_zip_and_folder_are_equal(complete_recordings, tmp_path, form):
    root = complete_recordings
    if form == "enclosed folder":
        root = root.parent
    elif form == "zip":
        root = shutil.make_archive(tmp_path / "data", "zip", root)
    else:
        root = shutil.make_archive(
            tmp_path / "data", "zip", root.parent, root.name
        )
    one = open_all(complete_recordings, tmp_path, "test")
    other = open_all(root, tmp_path, "test", path=tmp_path / "other.h5")
    assert same(one, other)


def test_store_is_beside_the_root(recordings):
    CMUMocap(recordings, **SMALL)
    assert recordings.with_name("cmu_mocap.h5").is_file()


def test_missing_file(recordings, tmp_path):
    (recordings / "train/walking/walking_3.txt").unlink()
    with pytest.raises(
        DataError, match=r"lacks 1 .*train/walking/walking_3\.txt.*allow_miss"
    ):
        open_all(recordings, tmp_path)
    assert not (tmp_path / "x.h5").exists()
    with pytest.warns(
        UserWarning, match=r"train/walking/walking_3\.txt"
    ) as warned:
        dataset = open_all(recordings, tmp_path, allow_missing=True)
    assert warned[0].filename == __file__
    assert dataset.missing == ["train/walking/walking_3.txt"]
    assert "train/walking/walking_3" not in dataset.store.names


def test_short_recording_is_named(recordings, tmp_path, write_recording):
    write_recording(recordings / "train/soccer/soccer_2.txt", 5)
    with pytest.warns(
        UserWarning, match=r"6 frames: train/soccer/soccer_2 \(1 "
    ):
        open_all(recordings, tmp_path)


def test_spoiled_file(recordings, tmp_path):
    path = recordings / "train" / "running" / "running_4.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.rsplit(",", 1)[0] for line in lines))
    fault = r"running_4\.txt, line 1: 116 columns, expected 117"
    with pytest.raises(DataError, match=fault):
        open_all(recordings, tmp_path)
    assert not list(tmp_path.glob("*x*.h5"))


def test_absent_root(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        open_all(tmp_path / "absent", tmp_path)
    assert not os.listdir(tmp_path)


@pytest.mark.filterwarnings("ignore:.*lacks 48 files")
def test_foreign_folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError, match="pictures holds none of the files"):
        open_all(tmp_path / "pictures", tmp_path, allow_missing=True)
    assert os.listdir(tmp_path) == ["pictures"]


def test_damaged_store_is_explained(complete_recordings, tmp_path):
    (tmp_path / "x.h5").write_text("no store")
    with pytest.raises(DataError, match=r"x\.h5"):
        open_all(complete_recordings, tmp_path)


def test_test_recording_shorter_than_a_window(
    recordings, tmp_path, write_recording
):
    write_recording(recordings / "test/walking/walking_1.txt", 75)
    with pytest.raises(DataError, match=r"walking_1\.txt: 75 frames .*75"):
        open_all(recordings, tmp_path, "test")


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({"split": "dev"}, r"'split' must be one of .*'val'.*got 'dev'"),
        ({"actions": ["walking", "flying"]}, "Unknown action 'flying'"),
        ({"actions": "walking"}, "'actions' to be a list .*'walking'"),
        ({"split": "test", "num_observed": 51}, "observe 50 .* 51 and 2"),
        (
            {"split": "test", "num_future": 26},
            "leave 25 to predict, .* 3 and 26",
        ),
        ({"num_observed": 0}, "'num_observed' must be at least 1, got 0"),
        ({"num_future": -1}, "'num_future' must be at least 0, got -1"),
        ({"stride": 0}, "'stride' must be at least 1, got 0"),
    ],
)
def test_bad_arguments(complete_recordings, tmp_path, arguments, culprit):
    with pytest.raises(ValueError, match=culprit):
        open_all(complete_recordings, tmp_path, **arguments)
    assert not os.listdir(tmp_path)

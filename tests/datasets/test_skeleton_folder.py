import os
import shutil
from collections import Counter

import pytest
import torch

from symgnn_pyg.errors import DataError
from tests.datasets.motion_folder import (
    ARM,
    NAMES,
    names,
    open_all,
    poses,
    write,
)


def test_every_format_to_the_batch(root):
    found = {}
    for split in ("train", "val", "test"):
        dataset = open_all(
            root, split, samples="clips", num_observed=5, num_future=3
        )
        for i, data in enumerate(dataset):
            name = dataset.store.names[dataset.windows.sequence[i]]
            found[name] = data
        assert dataset.split == split
    assert len(found) == 20
    assert repr(dataset) == "SkeletonFolder(2, num_observed=5, num_future=3)"
    assert dataset.classes == ["bow", "wave"]
    assert dataset.skeleton == ARM
    for name, data in found.items():
        seed = int(name[-1]) + 10 * name.startswith("bow")
        motion = torch.cat([data.x, data.future], dim=1)
        expected = torch.from_numpy(poses(8, seed)).transpose(0, 1)
        assert torch.equal(motion, expected)
        assert dataset.classes[int(data.y)] == name.split("/")[0]


def test_splits_share_no_recording(root):
    splits = {s: names(open_all(root, s)) for s in ("train", "val", "test")}
    assert [len(splits[s]) for s in splits] == [16, 2, 2]
    assert len(set.union(*splits.values())) == 20
    for held_out in ("val", "test"):
        classes = Counter(name.split("/")[0] for name in splits[held_out])
        assert classes == {"bow": 1, "wave": 1}
    assert splits["val"] != names(open_all(root, "val", seed=1))
    assert splits["val"] == names(open_all(root, "val"))


def test_shares(root):
    shares = (1, 3, 1)
    splits = [
        open_all(root, s, shares=shares) for s in ("train", "val", "test")
    ]
    assert [len(names(split)) for split in splits] == [4, 12, 4]
    assert len(names(open_all(root, shares=(1, 0, 0)))) == 20
    with pytest.raises(DataError, match=r"motion\.h5: the split 'val' has no"):
        open_all(root, "val", shares=(1, 0, 0))


@pytest.mark.parametrize("form", ["zip", "enclosed zip"])
def test_zip_and_folder_are_equal(root, form):
    one = open_all(root)
    arguments = [root.parent, root.name] if form == "enclosed zip" else [root]
    archive = shutil.make_archive(root.parent / "packed", "zip", *arguments)
    other = open_all(archive)
    assert os.path.exists(f"{archive}.h5")
    assert other.classes == one.classes
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.x, b.x)
        assert torch.equal(a.y, b.y)


def test_clips_and_windows(root):
    clips = open_all(root, samples="clips")
    assert len(clips) == 16
    assert clips[0].x.shape == (3, 3, 3)
    assert set(clips.windows.span.tolist()) == {8}
    windows = open_all(root, stride=1)
    assert len(windows) == 16 * (8 - 5 + 1)
    assert len(open_all(root, num_observed=2, stride=2)) == 16 * (8 - 7 + 1)


def test_store_is_kept_and_made_anew(root):
    open_all(root)
    store = root.with_name("motion.h5")
    made = os.stat(store).st_mtime_ns
    open_all(root, "val")
    assert os.stat(store).st_mtime_ns == made
    write(root / "wave/3.npy", poses(9, 99))
    assert len(open_all(root, shares=(1, 0, 0))) == 20 * 4 + 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "wave/x.npy",
            poses(8, shape=(4, 3)),
            r"x\.npy has .*\[8, 4, 3\], expe",
        ),
        ("wave/x.npy", poses(8, shape=(3, 2)), r"x\.npy: 2 chann.* before.*3"),
        ("wave/x.npy", b"no array", r"x\.npy is not a readable \.npy file"),
        ("wave/x.npz", b"no archive", r"x\.npz is not a readable \.npy file"),
        ("wave/x.csv", "1,2\n", r"x\.csv, line 1: 2 columns"),
        ("wave/x.bvh", "no", r"x\.bvh, line 1: unexpected 'no'"),
        ("wave/x.amc", "1\n", r"Expected one \.asf file for .*x\.amc.*none"),
        ("wave/0.csv", "1\n", r"two recordings named 'wave/0'"),
        ("x.npy", poses(8), r"1 files .*x\.npy; expected CLASS/"),
        ("wave/deep/x.npy", poses(8), r"wrong place: .*deep/x\.npy"),
        ("train/x.npy", poses(8), r"21 .*expected train\|val\|test/CLASS"),
    ],
)
def test_bad_files(root, name, content, message):
    write(root / name, content)
    with pytest.raises(DataError, match=message):
        open_all(root)


def test_other_channels_are_left_out(root):
    samples = len(open_all(root))
    write(root / "wave/x.npy", poses(8, shape=(3, 2)))
    with pytest.warns(UserWarning, match=r"1 of .*x\.npy: 2 channels"):
        dataset = open_all(root, skip_faulty=True)
    assert len(dataset) == samples
    assert list(dataset.skipped) == ["wave/x.npy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "all"}, r"'split' must be one of .*got 'all'"),
        ({"samples": "all"}, r"'samples' must be one of .*got 'all'"),
        ({"samples": "clips", "stride": 2}, r"Expected 'stride' 1"),
        ({"num_observed": 0}, r"'num_observed' must be at least 1, got 0"),
        ({"shares": (0.5, 0.5)}, r"Expected 'shares' of train"),
        ({"shares": (0, 1, 1)}, r"Expected 'shares' of train"),
        ({"shares": (1, -1, 1)}, r"Expected 'shares' of train"),
        ({"name_pattern": "("}, r"'name_pattern' '\(' is not a regular expr"),
        ({"name_pattern": "_(.*)_"}, r"Expected 'name_pattern' with '\(\?P<la"),
        ({"groups": {"test": ["a"]}}, r"'groups' requires a 'name_pattern'"),
        (
            {"name_pattern": NAMES, "groups": {"train": ["a"]}},
            r"Expected 'groups' of val and test, got train; train gets the oth",
        ),
        ({"index_columns": -1}, r"Expected 'index_columns' >= 0, got -1"),
        ({"skeleton": None}, r"'skeleton' is required: no file of .*motion"),
    ],
)
def test_bad_arguments(root, arguments, message):
    with pytest.raises(ValueError, match=message):
        open_all(root, **arguments)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        open_all(tmp_path / "absent")
    with pytest.raises(DataError, match=r"holds no recordings: put files of"):
        open_all(tmp_path)

import os
import re
import shutil
from collections import Counter

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets.skeleton_folder import SkeletonFolder
from symgnn_pyg.errors import DataError
from tests.io.ntu_document import document as ntu_document
from tests.io.ntu_document import poses as ntu_poses

ARM = Skeleton.from_bones([("elbow", "shoulder"), ("hand", "elbow")])
SHORT = {"num_observed": 3, "num_future": 2}
BVH = """HIERARCHY
ROOT shoulder
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT elbow
  {{
    OFFSET {length} 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {{
      OFFSET {length} 0 0
    }}
  }}
}}
MOTION
Frames: {count}
Frame Time: {time}
"""
ASF = """:units
angle deg
:root
order TX TY TZ RX RY RZ
:bonedata
begin
name upper
direction 1 0 0
length 2
dof rz
end
:hierarchy
root upper
"""


def poses(length, seed=0, shape=(3, 3)):
    random = np.random.default_rng(seed)
    return random.standard_normal((length, *shape)).astype(np.float32)


def bvh(count=8, length=1.0, time=0.04, step=1):
    head = BVH.format(count=count, length=length, time=time)
    rows = (f"{i * step} 0 0 90 0 0 0 0 0\n" for i in range(count))
    return head + "".join(rows)


def amc(count=8):
    frames = [f"{i}\nroot {i} 0 0 0 0 0\nupper 90\n" for i in range(count)]
    return ":DEGREES\n" + "".join(frames)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, np.ndarray):
        np.save(path, content)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content)


@pytest.fixture
def root(tmp_path):
    """Ten recordings of two classes, in three formats."""
    folder = tmp_path / "motion"
    for i in range(10):
        write(folder / f"wave/{i}.npy", poses(8, i))
    for i in range(6):
        write(folder / f"bow/{i}.npy", poses(8, 10 + i))
    for i in range(6, 8):
        np.savez(folder / f"bow/{i}.npz", poses(8, 10 + i))
    for i in range(8, 10):
        rows = poses(8, 10 + i).reshape(8, 9)
        np.savetxt(folder / f"bow/{i}.csv", rows, delimiter=",", fmt="%.9g")
    return folder


def open_all(root, split="train", skeleton=ARM, **arguments):
    return SkeletonFolder(root, skeleton, split, **{**SHORT, **arguments})


def names(dataset):
    return {dataset.store.names[i] for i in dataset.windows.sequence}


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


def test_a_new_class_leaves_the_others_as_they_were(root):
    before = names(open_all(root, "val"))
    for i in range(4):
        write(root / f"add/{i}.npy", poses(8))
    after = names(open_all(root, "val", path=root.with_name("more.h5")))
    assert {name for name in after if not name.startswith("add")} == before


def test_few_recordings_cannot_be_dealt_out(root):
    for i in range(2):
        write(root / f"add/{i}.npy", poses(8))
    with pytest.raises(
        DataError, match=r"Too few recordings .*class 'add' \(2\)"
    ):
        open_all(root)
    assert len(names(open_all(root, shares=(0.5, 0, 0.5)))) == 11
    write(root / "one/0.npy", poses(8))
    with pytest.raises(DataError, match=r"classes 'add' \(2\), 'one' \(1\)"):
        open_all(root)


@pytest.mark.parametrize("form", ["folder", "zip", "enclosed zip"])
def test_folders_of_splits(tmp_path, form):
    folder = tmp_path / "motion"
    for s, split in enumerate(("train", "val", "test")):
        for i in range(2):
            write(folder / split / f"wave/{i}.npy", poses(8, 2 * s + i))
    if form == "zip":
        folder = shutil.make_archive(tmp_path / "packed", "zip", folder)
    elif form == "enclosed zip":
        folder = shutil.make_archive(
            tmp_path / "packed", "zip", tmp_path, "motion"
        )
    for split in ("train", "val", "test"):
        found = names(open_all(folder, split))
        assert found == {f"{split}/wave/0", f"{split}/wave/1"}


@pytest.mark.parametrize(
    ("folders", "hint"),
    [
        (("Train", "Test"), "rename the folder Test to test, rename .* train"),
        (("train", "validation"), "rename the folder validation to val$"),
    ],
)
def test_other_names_of_splits(tmp_path, folders, hint):
    for folder in folders:
        write(tmp_path / f"own/{folder}/wave/0.npy", poses(8))
    with pytest.raises(DataError, match=rf"expected train\|val.*{hint}"):
        open_all(tmp_path / "own")


def test_splits_without_a_folder_come_from_train(root):
    for folder in ("wave", "bow"):
        shutil.move(root / folder, root / "train" / folder)
    write(root / "test/wave/0.npy", poses(8))
    splits = {s: names(open_all(root, s)) for s in ("train", "val", "test")}
    assert [len(splits[s]) for s in splits] == [18, 2, 1]
    assert all(name.startswith("train/") for name in splits["val"])
    assert splits["test"] == {"test/wave/0"}
    shutil.rmtree(root / "train")
    with pytest.raises(DataError, match=r"folders test, but no rec.* in train"):
        open_all(root)


NAMES = "(?P<label>[a-z]+)_(?P<group>[a-z]+)_[0-9]+$"


@pytest.fixture
def named(tmp_path):
    """Two recordings of each of four persons in each of two classes."""
    folder = tmp_path / "named"
    for person in ("anna", "ben", "carl", "dora"):
        for i in range(2):
            write(folder / f"a/bow_{person}_{i}.npy", poses(8, i))
            write(folder / f"wave_{person}_{i}.npy", poses(8, 2 + i))
    return folder


def test_labels_in_names(named):
    pattern = "(?P<label>[a-z]+)_[a-z]+_"
    shares = (0.5, 0.25, 0.25)
    train = open_all(named, name_pattern=pattern, shares=shares)
    assert train.classes == ["bow", "wave"]
    for i, data in enumerate(train):
        name = train.store.names[train.windows.sequence[i]]
        assert train.classes[int(data.y)] in name
    assert Counter(name[0] for name in names(train)) == {"a": 4, "w": 4}
    # From the same file, with other labels.
    other = open_all(
        named, name_pattern="_(?P<label>[a-z]+)_", shares=(1, 0, 0)
    )
    assert other.classes == ["anna", "ben", "carl", "dora"]


@pytest.mark.parametrize("where", ["below", "above"])
def test_groups_are_not_torn_apart(named, where):
    arguments = {"name_pattern": NAMES}
    if where == "above":
        # The classes are folders, and only the persons are in the names.
        for file in named.glob("wave*"):
            write(named / "b" / file.name, file.read_bytes())
            file.unlink()
        arguments = {"name_pattern": "_(?P<group>[a-z]+)_"}
    found = {}
    for split in ("train", "val", "test"):
        dataset = open_all(named, split, **arguments)
        persons = Counter(name.split("_")[1] for name in names(dataset))
        assert set(persons.values()) == {4}
        found |= dict.fromkeys(persons, split)
    assert sorted(found) == ["anna", "ben", "carl", "dora"]
    assert Counter(found.values()) == {"train": 2, "val": 1, "test": 1}


def test_groups_that_are_given(named):
    arguments = {"name_pattern": NAMES, "groups": {"test": ["dora", "anna"]}}
    for split, persons in (("test", 2), ("train", 1), ("val", 1)):
        found = names(open_all(named, split, **arguments))
        assert len(found) == 4 * persons
        assert any("dora" in name for name in found) == (split == "test")
        assert any("anna" in name for name in found) == (split == "test")
    arguments["groups"] = {"test": ["dora"], "val": ["ben", "carl", "anna"]}
    with pytest.raises(DataError, match="'train' has none of the"):
        open_all(named, **arguments)
    arguments["groups"] = {"test": ["ben", "carl", "anna"]}
    with pytest.raises(
        DataError, match=r"few groups .* train, val: there are 1"
    ):
        open_all(named, **arguments)
    arguments["groups"] = {"test": ["dora"], "val": ["dora"]}
    with pytest.raises(ValueError, match="lists 'dora' for test and val"):
        open_all(named, **arguments)
    arguments["groups"] = {"test": ["eve"]}
    with pytest.raises(DataError, match=r"no group 'eve'.*it has anna, ben, "):
        open_all(named, **arguments)


def test_groups_beside_folders_of_splits(named):
    shutil.move(named / "a", named / "train" / "a")
    with pytest.raises(DataError, match=r"8 files .*; expected tr.*/RECORDING"):
        open_all(named, name_pattern=NAMES)
    for file in named.glob("wave*"):
        shutil.move(file, named / "train" / file.name)
    shutil.copytree(named / "train", named / "test")
    val = names(open_all(named, "val", name_pattern=NAMES))
    assert len({name.split("_")[1] for name in val}) == 1
    assert all(name.startswith("train/") for name in val)
    with pytest.raises(DataError, match="test, train, which are the splits"):
        open_all(named, name_pattern=NAMES, groups={"test": ["anna"]})


def test_names_that_do_not_match_are_all_named(named):
    write(named / "bow-1.npy", poses(8))
    write(named / "a/wave-2.npy", poses(8))
    with pytest.raises(
        DataError, match=r"2 of 18 rec.* not match name_pattern=.*: .*a/wave-2"
        r"\.npy, .*/bow-1\.npy$",
    ):  # fmt: skip
        open_all(named, name_pattern=NAMES)
    with pytest.raises(DataError, match="CLASS/RECORDING, or pass a 'name_pat"):
        open_all(named)


def test_tables_with_a_time(tmp_path):
    for i in range(3):
        table = np.column_stack([np.arange(8), poses(8, i).reshape(8, 9)])
        lines = ["\t".join(map(str, row)) for row in table]
        write(tmp_path / f"own/wave/{i}.tsv", "\n".join(lines))
    with pytest.raises(DataError, match=r"10 columns.*pass index_columns=1"):
        open_all(tmp_path / "own")
    data = open_all(tmp_path / "own", index_columns=1)[0]
    assert data.x.shape == (3, 3, 3)


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


def test_several_bodies(tmp_path):
    motion = poses(8, shape=(2, 3, 3)).swapaxes(0, 1)  # [B, T, V, C]
    for i in range(3):
        write(tmp_path / f"own/hug/{i}.npy", motion)
    data = open_all(tmp_path / "own")[0]
    assert data.x.shape == (6, 3, 3)
    assert torch.equal(data.x[3:, 0], torch.from_numpy(motion[1, 0]))


def test_other_orders_of_axes(tmp_path):
    motion = poses(8, shape=(2, 3, 3)).swapaxes(0, 1)  # [M, T, V, C]
    for i in range(3):
        array = motion.transpose(3, 1, 2, 0)
        write(tmp_path / f"own/hug/{i}.npy", array[..., : 1 + bool(i)])
    data = open_all(tmp_path / "own", axes="CTVM", shares=(1, 0, 0))
    assert data[0].num_bodies.item() == 1
    assert data[4].num_bodies.item() == 2
    np.testing.assert_array_equal(data[4].x[3:, 0], motion[1, 0])
    with pytest.raises(DataError, match=r"0\.npy has .*axes='CTVM'"):
        open_all(tmp_path / "own")


def test_one_array_of_several(tmp_path):
    for i in range(3):
        path = tmp_path / f"own/hug/{i}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, keypoints=poses(8, i), scores=np.ones((8, 3)))
    with pytest.raises(DataError, match=r"0\.npz holds 2 .*pass the 'key'"):
        open_all(tmp_path / "own")
    dataset = open_all(tmp_path / "own", key="keypoints", shares=(1, 0, 0))
    np.testing.assert_array_equal(dataset[0].x[:, 0], poses(8, 0)[0])


def test_gaps_are_filled_on_request(tmp_path):
    motion = np.arange(8.0)[:, None, None] + np.zeros((8, 3, 3))
    holed = motion.copy()
    holed[1:3, 1] = np.nan
    for i in range(3):
        write(tmp_path / f"own/rise/{i}.npy", holed)
    rows = ",".join("0" * 9), ",,".join("11111"), ",".join("2" * 9)
    write(tmp_path / "own/rise/3.csv", "\n".join([*rows, *rows]))
    with pytest.raises(DataError, match=r"0\.npy: frame 1 holds"):
        open_all(tmp_path / "own")
    dataset = open_all(tmp_path / "own", fill_gaps=True, shares=(1, 0, 0))
    expected = torch.tensor([0.0, 1, 2]).view(3, 1).expand(3, 3, 3)
    torch.testing.assert_close(dataset[0].x, expected)
    torch.testing.assert_close(dataset[12].x, expected)


def test_bvh_brings_its_skeleton(tmp_path):
    for i in range(3):
        write(tmp_path / f"own/turn/{i}.bvh", bvh(length=1 + i))
    dataset = SkeletonFolder(tmp_path / "own", **SHORT)
    assert dataset.skeleton.joints == ("shoulder", "elbow", "elbow end")
    assert dataset.skeleton.bones == ((1, 0), (2, 1))
    assert dataset.skeleton.offsets is None
    assert dataset.skeleton.part_names == ("body",)
    length = 1 + int(dataset.store.names[dataset.windows[0].sequence][-1])
    expected = torch.tensor([[1.0, 0, 0], [1, length, 0], [1, 2 * length, 0]])
    torch.testing.assert_close(dataset[1].x[:, 0], expected)


def test_joints_are_taken_by_name(tmp_path):
    for i in range(3):
        write(tmp_path / f"own/turn/{i}.bvh", bvh())
    two = Skeleton(["elbow", "shoulder"], [("elbow", "shoulder")])
    dataset = SkeletonFolder(tmp_path / "own", two, **SHORT)
    expected = torch.tensor([[0.0, 1, 0], [0, 0, 0]])
    torch.testing.assert_close(dataset[0].x[:, 0], expected)
    with pytest.raises(DataError, match=r"bvh lacks hand of .*it has shoulder"):
        open_all(tmp_path / "own", path=tmp_path / "other.h5")


def test_amc_beside_its_asf(tmp_path):
    root = tmp_path / "own"
    write(root / "body.asf", ASF)
    for i in range(3):
        write(root / f"turn/{i}.amc", amc())
    dataset = SkeletonFolder(root, **SHORT)
    assert dataset.skeleton.joints == ("root", "upper", "upper end")
    expected = torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 2, 0]])
    torch.testing.assert_close(dataset[1].x[:, 0], expected)
    write(root / "body.asf", ASF.replace("length 2", "length 3"))
    assert SkeletonFolder(root, **SHORT)[0].x[2, 0, 1] == 3


def test_each_amc_has_the_asf_of_its_body(tmp_path):
    """The one beside it, or the one that its name starts with."""
    root = tmp_path / "own"
    lengths = {"a/07": 2, "b/08": 3, "b/09": 4}
    for asf, length in lengths.items():
        body = ASF.replace("length 2", f"length {length}")
        write(root / f"{asf}.asf", body)
    for name in ("a/x_01", "a/07_02", "b/08_01", "b/09_01", "b/09_02"):
        write(root / f"{name}.amc", amc())
    dataset = SkeletonFolder(root, shares=(1, 0, 0), **SHORT)
    found = {
        dataset.store.names[window.sequence]: float(data.x[2, 0, 1])
        for window, data in zip(dataset.windows, dataset, strict=True)
    }
    assert found == {
        "a/x_01": 2, "a/07_02": 2, "b/08_01": 3, "b/09_01": 4, "b/09_02": 4,
    }  # fmt: skip
    write(root / "b/10_01.amc", amc())
    with pytest.raises(DataError, match=r"one \.asf .*10_01.*b/08\.asf"):
        SkeletonFolder(root, shares=(1, 0, 0), **SHORT)


def test_other_skeletons_are_named(tmp_path):
    root = tmp_path / "own"
    for i in range(3):
        write(root / f"turn/{i}.bvh", bvh())
    write(root / "turn/3.bvh", bvh().replace("elbow", "knee"))
    message = r"3\.bvh has another skeleton than .*0\.bvh: .*elbow.*knee"
    with pytest.raises(DataError, match=message):
        SkeletonFolder(root, **SHORT)
    with pytest.warns(UserWarning, match=r"1 of 4 recordings were left out"):
        dataset = SkeletonFolder(root, skip_faulty=True, **SHORT)
    assert list(dataset.skipped) == ["turn/3.bvh"]


def test_other_frame_rates_are_named(tmp_path):
    root = tmp_path / "own"
    for i in range(3):
        write(root / f"turn/{i}.bvh", bvh(time=0.0333333 if i else 0.033))
    assert len(SkeletonFolder(root, **SHORT)) == 4
    write(root / "turn/3.bvh", bvh(time=0.0083333))
    write(root / "turn/4.bvh", bvh(time=0.0416667))
    with pytest.raises(DataError) as raised:
        SkeletonFolder(root, **SHORT)
    for file, rate in ((3, "120"), (4, "24")):
        message = rf"{file}\.bvh has {rate} frames per .*0\.bvh has 30\.3; pass"
        assert re.search(message, str(raised.value))


@pytest.mark.parametrize("rate", [15, 30, 60, 50])
def test_frame_rates_are_converted_on_request(tmp_path, rate):
    root = tmp_path / "own"
    for i, (count, own) in enumerate([(9, 30), (17, 60), (33, 120)]):
        # The body moves by one unit in a thirtieth of a second.
        text = bvh(count, time=1 / own, step=30 / own)
        write(root / f"turn/{i}.bvh", text)
    dataset = SkeletonFolder(
        root, frame_rate=rate, shares=(1, 0, 0), num_observed=2, num_future=1
    )
    assert set(dataset.store.lengths.tolist()) == {8 * rate // 30 + 1}
    for data in dataset:
        speed = (data.x[0, 1, 0] - data.x[0, 0, 0]) * rate / 30
        torch.testing.assert_close(speed, torch.tensor(1.0))
    np.save(root / "turn/x.npy", np.ones((8, 3, 3)))
    with pytest.raises(
        DataError, match=r"x\.npy does not state its frame rate"
    ):
        SkeletonFolder(root, frame_rate=rate)


def timed(times):
    """A hand that moves at even speed."""
    rows = [f"{t},1,1,1,2,2,2,3,3,{t}" for t in times]
    head = "time," + ",".join(
        f"{joint}_{axis}"
        for joint in ("shoulder", "elbow", "hand")
        for axis in "xyz"
    )
    return "\n".join([head, *rows])


def test_times_of_tables(tmp_path):
    """A hand that moves at even speed does so at each rate."""
    root = tmp_path / "own"
    arguments = {"shares": (1, 0, 0), "num_observed": 2, "num_future": 1}
    write(root / "a/0.csv", timed(np.arange(25) / 50))
    write(root / "a/1.csv", timed(np.arange(25) / 50))
    assert SkeletonFolder(root, ARM, **arguments).frame_rate == 50
    write(root / "a/2.csv", timed(np.arange(25) / 25))
    write(root / "a/3.csv", timed(np.cumsum(np.linspace(0.02, 0.04, 25))))
    with pytest.raises(DataError) as raised:
        SkeletonFolder(root, ARM, **arguments)
    text = str(raised.value)
    assert re.search(r"2\.csv has 25 frames .*0\.csv has 50; pass the", text)
    assert re.search(r"3\.csv, line \d+: the steps of 'time' are uneven", text)
    data = SkeletonFolder(root, ARM, frame_rate=20, **arguments)
    assert data.frame_rate == 20
    assert data.store.lengths.tolist() == [10, 10, 20, 15]
    hand = data.skeleton.index("hand")
    for sample in data:
        speed = (sample.x[hand, 1, 2] - sample.x[hand, 0, 2]) * 20
        torch.testing.assert_close(speed, torch.tensor(1.0))
    write(root / "a/4.csv", timed(np.arange(25) / 50).replace("time", "id"))
    with pytest.raises(DataError, match=r"4\.csv does not state its frame rat"):
        SkeletonFolder(root, ARM, frame_rate=20, **arguments)


def test_missing_frames_of_tables(tmp_path):
    root = tmp_path / "own"
    times = np.delete(np.arange(25), [7, 8]) / 50
    write(root / "a/0.csv", timed(times))
    arguments = {"shares": (1, 0, 0), "num_observed": 2, "num_future": 1}
    with pytest.raises(DataError, match=r"0\.csv, line 9: frames are missing"):
        SkeletonFolder(root, ARM, **arguments)
    data = SkeletonFolder(root, ARM, fill_gaps=True, **arguments)
    assert (data.frame_rate, len(data.store[0][0])) == (50, 25)


def test_a_rate_that_no_file_states(tmp_path):
    root = tmp_path / "own"
    write(root / "a/0.npy", poses(9))
    arguments = {"shares": (1, 0, 0), "num_observed": 2, "num_future": 1}
    assert SkeletonFolder(root, ARM, **arguments).frame_rate is None
    data = SkeletonFolder(root, ARM, frame_rate=30, **arguments)
    assert (data.frame_rate, len(data.store[0][0])) == (30, 9)


def test_a_faulty_file_may_be_the_first(tmp_path):
    root = tmp_path / "own"
    arguments = {"shares": (1, 0, 0), **SHORT}
    write(root / "turn/0.bvh", "nothing")
    with pytest.raises(DataError, match=r"0\.bvh, line 1: unexpected 'nothing"):
        SkeletonFolder(root, **arguments)
    write(root / "turn/1.bvh", bvh())
    with pytest.raises(DataError, match=r"0\.bvh, line 1: unexpected 'nothing"):
        SkeletonFolder(root, **arguments)
    with pytest.warns(UserWarning, match="1 of 2 recordings were left out"):
        data = SkeletonFolder(root, skip_faulty=True, **arguments)
    assert (data.store.sources, data.frame_rate) == (["turn/1.bvh"], 25)


def test_store_is_kept_and_made_anew(root):
    open_all(root)
    store = root.with_name("motion.h5")
    made = os.stat(store).st_mtime_ns
    open_all(root, "val")
    assert os.stat(store).st_mtime_ns == made
    write(root / "wave/3.npy", poses(9, 99))
    assert len(open_all(root, shares=(1, 0, 0))) == 20 * 4 + 1


def test_what_is_left_out(root):
    for name in (".DS_Store", "README.md", "wave/.hidden.npy", "LICENSE"):
        write(root / name, "")
    write(root / "wave/0.mp4", "")
    write(root / "body.asf", "")
    with pytest.warns(UserWarning, match=r"2 files were not read.*body\.asf"):
        dataset = open_all(root)
    assert dataset.skipped == {
        "body.asf": "there are no .amc files",
        "wave/0.mp4": (
            "not one of .npy, .npz, .csv, .tsv, .bvh, .amc, .skeleton"
        ),
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "wave/x.npy",
            poses(8, shape=(4, 3)),
            r"x\.npy has .*\[8, 4, 3\], expe",
        ),
        ("wave/x.npy", poses(8, shape=(3, 2)), r": 2 channels, but the sequ"),
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "all"}, r"'split' must be one of .*got 'all'"),
        ({"samples": "all"}, r"'samples' must be one of .*got 'all'"),
        ({"samples": "clips", "stride": 2}, r"Expected 'stride' 1"),
        ({"num_observed": 0}, r"'num_observed' >= 1"),
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


def test_positions_are_no_rotations(tmp_path):
    write(tmp_path / "root/walk/0.bvh", bvh())
    with pytest.raises(ValueError, match=r"0\.bvh is read as positions, got k"):
        open_all(tmp_path / "root", skeleton=None, kind="rotation")


def test_a_single_group_is_a_list(root):
    with pytest.raises(TypeError, match=r"list for test, .*; pass \['anna'\]"):
        open_all(root, name_pattern=NAMES, groups={"test": "anna"})


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        open_all(tmp_path / "absent")
    with pytest.raises(DataError, match=r"holds no recordings: put files of"):
        open_all(tmp_path)


def test_links_to_folders_are_listed(root, tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    for folder in root.iterdir():
        (links / folder.name).symlink_to(folder)
    with pytest.raises(DataError, match=r"is a link to a folder, which is not"):
        open_all(links)


def test_skeleton_files_bring_their_layout(tmp_path):
    pair = {"a": ntu_poses(8), "b": ntu_poses(8, seed=1)}
    for i, bodies in enumerate(([pair["a"]], pair.values(), [pair["b"]])):
        frames = [dict(enumerate(poses)) for poses in zip(*bodies, strict=True)]
        path = tmp_path / "root" / "walk" / f"{i}.skeleton"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ntu_document(frames))
    dataset = SkeletonFolder(tmp_path / "root", shares=(1, 0, 0), **SHORT)
    assert dataset.skeleton == Skeleton.get("ntu25")
    assert sorted(dataset.store.bodies.tolist()) == [1, 1, 2]
    torch.testing.assert_close(
        dataset[0].x, torch.tensor(pair["a"][:3]).float().transpose(0, 1)
    )
    some = Skeleton.get("ntu25").subset(["spine", "neck"])
    picked = SkeletonFolder(tmp_path / "root", some, shares=(1, 0, 0), **SHORT)
    assert picked[0].x.shape == (2, 3, 3)

import shutil
from collections import Counter

import pytest

from symgnn_pyg.errors import DataError
from tests.datasets.motion_folder import NAMES, names, open_all, poses, write


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


def test_a_single_group_is_a_list(root):
    with pytest.raises(TypeError, match=r"list for test, .*; pass \['anna'\]"):
        open_all(root, name_pattern=NAMES, groups={"test": "anna"})


def test_links_to_folders_are_listed(root, tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    for folder in root.iterdir():
        (links / folder.name).symlink_to(folder)
    with pytest.raises(DataError, match=r"is a link to a folder, which is not"):
        open_all(links)

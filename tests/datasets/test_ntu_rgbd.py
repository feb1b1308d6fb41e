import os
import zipfile

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import Compose

from symgnn_pyg.datasets import NTURGBD
from symgnn_pyg.errors import DataError
from symgnn_pyg.transforms import Center, NormalizeView
from tests.datasets.motion_folder import names
from tests.io.ntu_document import document, poses

SPLITS = ("train", "val", "test")
SMALL = {"num_observed": 4, "num_future": 2}
ORIGINAL_SUBJECTS = (
    1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38,
)  # fmt: skip


def write(root, name, frames):
    path = root / f"{name}.skeleton"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document(frames), newline="")


def one_body(length, seed=0):
    return [{"7": pose} for pose in poses(length, seed)]


def name(setup=1, camera=1, subject=1, action=1):
    return f"S{setup:03d}C{camera:03d}P{subject:03d}R001A{action:03d}"


def open_all(root, tmp_path, split="train", **arguments):
    arguments = {**SMALL, "path": tmp_path / "ntu.h5", **arguments}
    return NTURGBD(root, split, **arguments)


def test_round_trip(tmp_path):
    """Two persons, from the text to a batch."""
    one, two = poses(6, 1), poses(6, 2, scale=2.0)
    both = [{"a": a, "b": b} for a, b in zip(one, two, strict=True)]
    write(tmp_path / "data", name(subject=1, action=51), both)
    write(tmp_path / "data/deep", name(subject=2), one_body(6, seed=3))
    dataset = open_all(tmp_path / "data", tmp_path)
    (batch,) = DataLoader(dataset, 2)
    motion = torch.cat([batch.x, batch.future], dim=1).transpose(0, 1)
    expected = np.concatenate([two, one, poses(6, 3)], axis=1)
    np.testing.assert_array_equal(motion, expected.astype(np.float32))
    assert batch.y.tolist() == [50, 0]
    assert batch.num_bodies.tolist() == [2, 1]
    assert dataset.classes[50] == "kicking other person"
    assert str(dataset) == "NTURGBD(2, num_observed=4, num_future=2)"


def every_clip(root, setups=(1, 2), actions=(1,)):
    for setup in setups:
        for camera in (1, 2, 3):
            for subject in range(1, 41):
                for action in actions:
                    write(
                        root, name(setup, camera, subject, action), one_body(1)
                    )


def numbers(dataset, start):
    return {int(name[start : start + 3]) for name in names(dataset)}


def test_cross_subject(tmp_path):
    every_clip(tmp_path / "data")
    splits = {s: open_all(tmp_path / "data", tmp_path, s) for s in SPLITS}
    subjects = {s: numbers(dataset, 9) for s, dataset in splits.items()}
    assert subjects["train"] | subjects["val"] == set(ORIGINAL_SUBJECTS)
    assert subjects["val"] == {5, 15, 25, 35}
    assert subjects["test"] == set(range(1, 41)) - set(ORIGINAL_SUBJECTS)
    assert sum(map(len, splits.values())) == 240


def test_cross_view(tmp_path):
    every_clip(tmp_path / "data")
    splits = {
        s: open_all(tmp_path / "data", tmp_path, s, benchmark="xview")
        for s in SPLITS
    }
    assert numbers(splits["train"], 5) == numbers(splits["val"], 5) == {2, 3}
    assert numbers(splits["test"], 5) == {1}
    assert numbers(splits["val"], 9) == {5, 15, 25, 35}
    assert [len(splits[s]) for s in SPLITS] == [144, 16, 80]


def test_cross_setup(tmp_path):
    for setup in (17, 18, 32):
        for subject in (41, 45, 106):
            write(tmp_path / "d", name(setup, 1, subject, 120), one_body(1))
    arguments = {"benchmark": "xset", "num_classes": 120}
    splits = {
        s: open_all(tmp_path / "d", tmp_path, s, **arguments) for s in SPLITS
    }
    assert numbers(splits["train"], 1) == {18, 32}
    assert numbers(splits["val"], 1) == {18, 32}
    assert numbers(splits["val"], 9) == {45}
    assert numbers(splits["test"], 1) == {17}
    assert [len(splits[s]) for s in SPLITS] == [4, 2, 3]
    assert splits["test"].num_classes == 120


def test_subjects_of_the_extended_set(tmp_path):
    for subject in range(41, 107):
        write(tmp_path / "data", name(18, 1, subject, 61), one_body(1))
    splits = {
        s: open_all(tmp_path / "data", tmp_path, s, num_classes=120)
        for s in SPLITS
    }
    assert numbers(splits["train"], 9) | numbers(splits["val"], 9) == {
        45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80,
        81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103,
    }  # fmt: skip
    assert numbers(splits["val"], 9) == {45, 55, 85, 95}


def test_all_clips_are_beyond_sixty_classes(tmp_path):
    write(tmp_path / "data", name(action=61), one_body(1))
    with pytest.raises(
        DataError, match=r"1 clips, but all .* first 60; pass a"
    ):
        open_all(tmp_path / "data", tmp_path)


def test_sixty_classes_of_the_extended_archive(tmp_path):
    for action in (1, 60, 61, 120):
        write(tmp_path / "data", name(action=action), one_body(1))
    dataset = open_all(tmp_path / "data", tmp_path)
    assert numbers(dataset, 17) == {1, 60}
    assert dataset.num_classes == 60
    assert dataset.classes[-1] == "walking apart from each other"


def test_missing_and_empty_recordings(tmp_path):
    root, listed = tmp_path / "data", tmp_path / "missing.txt"
    for subject in (1, 2, 4):
        write(root, name(subject=subject), one_body(2))
    write(root, name(subject=8), [{}, {}])
    listed.write_text(
        f"2 samples lack skeletons.\n\n{name(subject=2)}\n"
        f"{name(subject=4)}.skeleton\n{name(subject=40)}\n"
    )
    with pytest.warns(UserWarning, match=r"1 of 2 recordings were left out"):
        dataset = open_all(root, tmp_path, exclude=listed)
    assert names(dataset) == {name(subject=1)}
    assert dataset.excluded == [name(subject=2), name(subject=4)]
    assert list(dataset.skipped) == [f"{name(subject=8)}.skeleton"]


def test_faulty_recording(tmp_path):
    write(tmp_path / "data", name(), one_body(2))
    spoiled = tmp_path / "data" / f"{name(subject=2)}.skeleton"
    spoiled.write_text("1\nmany\n")
    with pytest.raises(DataError, match=rf"{spoiled.name}, line 2: .*'many'"):
        open_all(tmp_path / "data", tmp_path)
    with pytest.warns(UserWarning, match="left out"):
        dataset = open_all(tmp_path / "data", tmp_path, skip_faulty=True)
    assert list(dataset.skipped) == [spoiled.name]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "names no clips"),
        ("none\n", "names no clips"),
        (f"{name()}\nS001C1\n", "line 2: expected the name .*got 'S001C1'"),
    ],
)
def test_spoiled_list(tmp_path, text, fault):
    write(tmp_path / "data", name(), one_body(2))
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=rf"list\.txt.*{fault}"):
        open_all(tmp_path / "data", tmp_path, exclude=tmp_path / "list.txt")


@pytest.mark.parametrize(
    "bad", ["walk", "S1C2P3R2A13", name(action=0), name(action=121)]
)
def test_foreign_name(tmp_path, bad):
    write(tmp_path / "data", bad, one_body(2))
    with pytest.raises(DataError, match=rf"{bad}\.skeleton: .* is not a clip"):
        open_all(tmp_path / "data", tmp_path)


def test_zip_and_folder_are_equal(tmp_path):
    write(tmp_path / "data", name(), one_body(5))
    (file,) = (tmp_path / "data").iterdir()
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.write(file, f"nturgb+d_skeletons/{file.name}")
        archive.writestr("nturgb+d_skeletons/readme.md", "About the data")
    one = open_all(tmp_path / "data", tmp_path)
    other = NTURGBD(tmp_path / "data.zip", **SMALL)
    assert torch.equal(one[0].x, other[0].x)
    assert os.path.exists(tmp_path / "data.zip.h5")


def test_other_arguments_make_the_store_anew(tmp_path):
    two = [{"1": a, "2": b} for a, b in zip(poses(3), poses(3, 1), strict=True)]
    write(tmp_path / "data", name(), two)
    assert open_all(tmp_path / "data", tmp_path)[0].num_bodies == 2
    single = open_all(tmp_path / "data", tmp_path, max_bodies=1)
    assert single[0].num_bodies == 1


def test_empty_split(tmp_path):
    write(tmp_path / "data", name(subject=1), one_body(2))
    with pytest.raises(DataError, match="no clip of the 'val' split of 'xsub'"):
        open_all(tmp_path / "data", tmp_path, "val")


def test_normalised_as_the_docstring_says(tmp_path):
    write(tmp_path / "data", name(), one_body(6))
    transform = Compose(
        [Center(1), NormalizeView(spine=(0, 1), shoulders=(8, 4))]
    )
    (data,) = open_all(tmp_path / "data", tmp_path, transform=transform)
    assert data.x[1].abs().max() == 0
    torch.testing.assert_close(data.x[0, 0, :2], torch.zeros(2))
    assert data.x[0, 0, 2] < 0


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({"split": "dev"}, r"'split' must be one of .*got 'dev'"),
        ({"benchmark": "xs"}, r"'benchmark' must be one of .*got 'xs'"),
        ({"num_classes": 61}, "'xsub' has 60 or 120 classes, got .* 61"),
        (
            {"benchmark": "xview", "num_classes": 120},
            "'xview' has 60 classes, got 'num_classes' 120",
        ),
        ({"benchmark": "xset"}, "'xset' has 120 classes, got .* 60"),
        ({"max_bodies": 0}, "'max_bodies' must be at least 1, got 0"),
        ({"num_observed": 0}, "'num_observed' must be at least 1, got 0"),
    ],
)
def test_bad_arguments(tmp_path, arguments, culprit):
    with pytest.raises(ValueError, match=culprit):
        open_all(tmp_path / "data", tmp_path, **arguments)
    assert not os.listdir(tmp_path)


def test_absent_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        open_all(tmp_path / "absent", tmp_path)
    with pytest.raises(FileNotFoundError, match="list"):
        open_all(tmp_path, tmp_path, exclude=tmp_path / "list")

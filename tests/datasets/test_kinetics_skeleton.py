import json
import os
import shutil
import zlib

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg.datasets import KineticsSkeleton
from symgnn_pyg.errors import DataError
from tests.datasets.motion_folder import names
from tests.io.kinetics_document import LABELS, body, clip

SPLITS = ("train", "val", "test")
SMALL = {"num_observed": 2, "num_future": 1}


def write_archive(root, train, val, **changes):
    """The files of the archive: documents by name, and their labels."""
    for part, clips in (("train", train), ("val", val)):
        folder = root / f"kinetics_{part}"
        folder.mkdir(parents=True, exist_ok=True)
        labels = {}
        for name, document in clips.items():
            (folder / f"{name}.json").write_text(json.dumps(document))
            labels[name] = {
                "has_skeleton": True,
                "label": document["label"],
                "label_index": document["label_index"],
                **changes.get(name, {}),
            }
        table = json.dumps(labels)
        (root / f"kinetics_{part}_label.json").write_text(table)


@pytest.fixture
def archive(tmp_path):
    """Forty clips to train on and three to test."""
    root = tmp_path / "kinetics-skeleton"
    train = {
        f"c{i}": clip([[body(i / 100)]] * 3, label=i % 2) for i in range(40)
    }
    write_archive(root, train, {f"t{i}": clip([[body()]] * 2) for i in "123"})
    return root


def open_all(root, tmp_path, split="train", **arguments):
    arguments = {**SMALL, "path": tmp_path / "kinetics.h5", **arguments}
    return KineticsSkeleton(root, split, **arguments)


def test_round_trip(tmp_path):
    """Two clips, from the document to a batch."""
    random = np.random.default_rng(0)
    motions = np.round(random.uniform(0.1, 1.0, (2, 3, 18, 3)), 3)
    clips = [
        clip(
            [
                [{"pose": m[:, :2].ravel().tolist(), "score": m[:, 2].tolist()}]
                for m in motion
            ],
            label=k,
        )
        for k, motion in enumerate(motions)
    ]
    root = tmp_path / "data"
    write_archive(root, {"a": clips[0]}, dict(zip("bc", clips, strict=True)))
    dataset = open_all(root, tmp_path, "test")
    (batch,) = DataLoader(dataset, 2)
    motion = torch.cat([batch.x, batch.future], dim=1)
    expected = motions - [0.5, 0.5, 0.0]
    np.testing.assert_array_equal(
        motion.unflatten(0, (2, 18)).transpose(1, 2),
        expected.astype(np.float32),
    )
    assert batch.y.tolist() == [0, 1]
    assert dataset.classes == list(LABELS)
    assert str(dataset) == "KineticsSkeleton(2, num_observed=2, num_future=1)"


def test_splits(archive, tmp_path):
    splits = {s: names(open_all(archive, tmp_path, s)) for s in SPLITS}
    held_out = {
        f"kinetics_train/c{i}"
        for i in range(40)
        if zlib.crc32(f"c{i}".encode()) % 20 == 0
    }
    assert splits["val"] == held_out
    assert 1 <= len(held_out) <= 5
    assert splits["train"].isdisjoint(held_out)
    assert len(splits["train"] | held_out) == 40
    assert splits["test"] == {f"kinetics_val/t{i}" for i in "123"}


def test_labels(archive, tmp_path):
    dataset = open_all(archive, tmp_path)
    assert dataset.num_classes == 2
    for window, data in zip(dataset.windows, dataset, strict=True):
        number = int(dataset.store.names[window.sequence].partition("/c")[2])
        assert data.y.tolist() == [number % 2]


def test_pixels(archive, tmp_path):
    expected = open_all(archive, tmp_path)[0].x
    for path in archive.glob("*/*.json"):
        document = json.loads(path.read_text())
        for entry in document["data"]:
            for found in entry["skeleton"]:
                found["pose"] = [340 * x for x in found["pose"]]
        path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"'image_size' \(width, height\)"):
        open_all(archive, tmp_path)
    found = open_all(archive, tmp_path, image_size=(340, 340))[0].x
    torch.testing.assert_close(found, expected)


def test_numbers_of_classes_with_gaps(archive, tmp_path):
    for folder in ("train", "val"):
        table = archive / f"kinetics_{folder}_label.json"
        text = table.read_text().replace('"label_index": 1', '"label_index": 7')
        table.write_text(text)
    dataset = open_all(archive, tmp_path)
    assert dataset.num_classes == 2
    assert set(dataset.labels.tolist()) == {0, 1}


def test_zip_and_folder_are_equal(archive, tmp_path):
    root = shutil.make_archive(
        tmp_path / "data", "zip", archive.parent, archive.name
    )
    one = open_all(archive, tmp_path)
    other = KineticsSkeleton(root, **SMALL)
    assert len(one) == len(other)
    assert torch.equal(one[5].x, other[5].x)
    assert os.path.exists(f"{root}.h5")


def test_bodiless_and_empty_clips_are_listed(tmp_path):
    clips = {
        "some": clip([[body()]]),
        "none": clip([]),
        "lost": clip([[]]),
        "other": clip([[body()]], label=1),
    }
    root = tmp_path / "data"
    write_archive(root, clips, {}, none={"has_skeleton": False})
    with pytest.warns(UserWarning, match="1 of 3 recordings were left out"):
        dataset = open_all(root, tmp_path)
    assert set(dataset.store.names) == {
        "kinetics_train/some",
        "kinetics_train/other",
    }
    assert set(dataset.skipped) == {
        "kinetics_train/none.json",
        "kinetics_train/lost.json",
    }
    assert "label" in dataset.skipped["kinetics_train/none.json"]


def test_missing_clip(archive, tmp_path):
    (archive / "kinetics_val/t2.json").unlink()
    with pytest.raises(
        DataError, match=r"lacks 1 .*kinetics_val/t2\.json.*allow_missing"
    ):
        open_all(archive, tmp_path)
    with pytest.warns(UserWarning, match=r"kinetics_val/t2\.json"):
        dataset = open_all(archive, tmp_path, "test", allow_missing=True)
    assert dataset.missing == ["kinetics_val/t2.json"]
    assert len(dataset) == 2


def test_clip_without_label(archive, tmp_path):
    shutil.copy(
        archive / "kinetics_val/t2.json", archive / "kinetics_val/new.json"
    )
    with pytest.raises(
        DataError, match=r"new\.json has no entry in kinetics_v"
    ):
        open_all(archive, tmp_path)


def test_no_labels(archive, tmp_path):
    (archive / "kinetics_val_label.json").unlink()
    with pytest.raises(DataError, match=r"one file kinetics_val_label\.json"):
        open_all(archive, tmp_path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"has_skeleton": 1}, "'t1': 'has_skeleton' must be true or false"),
        ({"label": 5}, "'t1': 'label' must be a string"),
        ({"label_index": 0.0}, "'t1': 'label_index' must be a whole number"),
        ({"label_index": -1}, "'t1': 'label_index' -1 is negative"),
        ({"label": "x"}, r"t1\.json names class 0 'x', .*'juggling"),
    ],
)
def test_spoiled_labels(archive, tmp_path, change, fault):
    table = archive / "kinetics_val_label.json"
    labels = json.loads(table.read_text())
    labels["t1"] |= change
    table.write_text(json.dumps(labels))
    with pytest.raises(DataError, match=fault):
        open_all(archive, tmp_path)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("[]", "must be an object"), ("{", r"is not a JSON document: .*line 1")],
)
def test_labels_that_are_no_table(archive, tmp_path, text, fault):
    (archive / "kinetics_train_label.json").write_text(text)
    with pytest.raises(DataError, match=rf"kinetics_train_label\.json {fault}"):
        open_all(archive, tmp_path)


def test_faulty_clip(archive, tmp_path):
    (archive / "kinetics_val/t1.json").write_text('{"data": [{}]}')
    with pytest.raises(DataError, match=r"t1\.json, data\[0\]: 'frame_index'"):
        open_all(archive, tmp_path)
    with pytest.warns(UserWarning, match="left out"):
        dataset = open_all(archive, tmp_path, "test", skip_faulty=True)
    assert list(dataset.skipped) == ["kinetics_val/t1.json"]


def test_empty_split(tmp_path):
    write_archive(tmp_path / "data", {"c0": clip([[body()]])}, {})
    with pytest.raises(DataError, match="holds no clip of the 'test' split"):
        open_all(tmp_path / "data", tmp_path, "test")


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({"split": "dev"}, r"'split' must be one of .*got 'dev'"),
        ({"max_bodies": 0}, "'max_bodies' must be at least 1, got 0"),
        ({"num_future": -1}, "'num_future' must be at least 0, got -1"),
    ],
)
def test_bad_arguments(tmp_path, arguments, culprit):
    with pytest.raises(ValueError, match=culprit):
        open_all(tmp_path / "data", tmp_path, **arguments)

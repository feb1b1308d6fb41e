import json
import os
import shutil
import zlib

import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg.datasets.kinetics_skeleton import KineticsSkeleton, parse
from symgnn_pyg.datasets.prepare import EmptyRecordingError
from symgnn_pyg.errors import DataError

SPLITS = ("train", "val", "test")
LABELS = ("juggling balls", "abseiling")


def body(x=0.25, y=0.75, score=0.5, hidden=()):
    """A skeleton, all joints at one place but those that were not found."""
    scores = [0.0 if joint in hidden else score for joint in range(18)]
    return {"pose": [x, y] * 18, "score": scores}


def clip(frames, label=0):
    """The document of a recording; each frame is a list of bodies."""
    return {
        "data": [
            {"frame_index": t, "skeleton": bodies}
            for t, bodies in enumerate(frames, start=1)
        ],
        "label": LABELS[label],
        "label_index": label,
    }


def read(document, **arguments):
    return parse(json.dumps(document).encode(), "clip", **arguments)


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
    return KineticsSkeleton(
        root,
        split,
        **{
            "observed": 2,
            "future": 1,
            "store": tmp_path / "kinetics.h5",
            **arguments,
        },
    )


def names(dataset):
    return {dataset.store.names[w.sequence] for w in dataset.windows}


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
    assert str(dataset) == "KineticsSkeleton(2, observed=2, future=1)"


def test_joint_that_was_not_found():
    (motion,) = read(clip([[body(hidden=(3,))]]))
    assert motion[0, 3].tolist() == [0.0, 0.0, 0.0]
    assert motion[0, 4].tolist() == [-0.25, 0.25, 0.5]


def test_frames_without_a_body_are_zero():
    """Listed or not; the clip ends with the last one that is listed."""
    document = clip([[], [body()], [], [body()], []])
    del document["data"][2]
    (motion,) = read(document)
    assert motion[:, 0, 2].tolist() == [0.0, 0.5, 0.0, 0.5, 0.0]
    assert not motion[[0, 2, 4]].any()


def test_frames_in_any_order():
    document = clip([[body(0.1 * t)] for t in range(1, 4)])
    ordered = read(document)
    document["data"].reverse()
    np.testing.assert_array_equal(read(document), ordered)


def test_most_confident_body_of_each_frame():
    frames = [[body(0.1, score=0.3), body(0.9, score=0.6)], [body(0.2)]]
    (motion,) = read(clip(frames))
    np.testing.assert_allclose(motion[:, 0, 0], [0.4, -0.3])


def test_mean_score_decides_not_the_highest():
    few = body(0.1, score=0.9, hidden=range(1, 18))
    (motion,) = read(clip([[few, body(0.9, score=0.1)]]))
    np.testing.assert_allclose(motion[0, 0], [0.4, 0.25, 0.1])


def test_tracks_follow_the_nearest_body():
    """Whatever their order and their scores in a frame."""
    frames = [
        [body(0.1, score=0.5), body(0.8, score=0.4)],
        [body(0.7, score=0.9), body(0.2, score=0.3)],
        [body(0.3, score=0.2)],
        [body(0.6, score=0.4), body(0.4, score=0.1)],
    ]
    first, second = read(clip(frames), max_bodies=2)
    np.testing.assert_allclose(first[:, 0, 0], [0.3, 0.2, 0.0, 0.1])
    np.testing.assert_allclose(second[:, 0, 0], [-0.4, -0.3, -0.2, -0.1])
    assert first[2, 0, 2] == 0.0  # its mean score of 1.7 / 4 is the higher


def test_nearest_pair_joins_first():
    """Not the first or the most confident body; what is left takes what is
    left, however far.
    """
    frames = [
        [body(0.2, score=0.9), body(0.9, score=0.5)],
        [body(0.05, score=0.6), body(0.3, score=0.5)],
    ]
    first, second = read(clip(frames), max_bodies=2)
    np.testing.assert_allclose(first[:, 0, 0], [-0.3, -0.2])
    np.testing.assert_allclose(second[:, 0, 0], [0.4, -0.45])


def test_joints_found_in_both_tell_the_distance():
    """A joint that is not found lies nowhere, not in the middle."""
    frames = [
        [body(0.1, score=0.4), body(0.5, score=0.9)],
        [body(0.2, hidden=range(16))],
    ]
    middle, left = read(clip(frames), max_bodies=2)
    np.testing.assert_allclose(left[:, 17, 0], [-0.4, -0.3])
    assert not middle[1].any()


def test_body_that_comes_later_starts_a_track():
    frames = [[], [body(0.1)], [body(0.8, score=0.9), body(0.1)]]
    one, two = read(clip(frames), max_bodies=3)
    np.testing.assert_allclose(one[:, 0, 0], [0.0, -0.4, -0.4])
    np.testing.assert_allclose(two[:, 0, 0], [0.0, 0.0, 0.3])
    assert read(clip(frames)).shape == (1, 3, 18, 3)


@pytest.mark.parametrize("frames", [[], [[]], [[], []], [[body(score=0.0)]]])
def test_no_body(frames):
    with pytest.raises(EmptyRecordingError, match="clip shows no body"):
        read(clip(frames))


def changed(**changes):
    return {**body(), **changes}


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], ": 'data' must be a list"),
        ({}, ": 'data' must be a list"),
        ({"data": {}}, ": 'data' must be a list"),
        ({"data": [5]}, r", data\[0\]: 'frame_index' must be a whole number"),
        (clip([body()]), r", data\[0\]: 'skeleton' must be a list"),
        (clip([[], [3]]), r", data\[1\]\.skeleton\[0\]: 'pose' must be a list"),
        (
            clip([[body(), changed(pose=[0.5] * 35)]]),
            r", data\[0\]\.skeleton\[1\]: 'pose' must be 36 finite numbers",
        ),
        (clip([[changed(pose=["1"] * 36)]]), "'pose' must be 36 finite"),
        (clip([[changed(pose=[True] * 36)]]), "'pose' must be 36 finite"),
        (clip([[changed(pose=[None] * 36)]]), "'pose' must be 36 finite"),
        (clip([[changed(pose=[10**4000] * 36)]]), "'pose' must be 36 finite"),
        (clip([[changed(pose=[1e39] * 36)]]), "'pose' must be 36 finite"),
        (clip([[{"pose": [0.5] * 36}]]), "'score' must be a list"),
        (clip([[changed(score=[0.5] * 36)]]), "'score' must be 18 finite"),
        (clip([[body(score=-0.1)]]), "a score is negative"),
    ],
)
def test_faults_name_file_and_place(document, fault):
    with pytest.raises(DataError, match=rf"^clip.*{fault}"):
        read(document)


@pytest.mark.parametrize("index", [0, -1, 301, 10**12, 10**4000])
def test_frame_that_cannot_be(index):
    document = clip([[body()]])
    document["data"][0]["frame_index"] = index
    with pytest.raises(DataError, match=r"data\[0\]: 'frame_index' must be fr"):
        read(document)


@pytest.mark.parametrize("index", [True, 1.0, "1", None])
def test_frame_index_is_a_whole_number(index):
    document = clip([[body()]])
    document["data"][0]["frame_index"] = index
    with pytest.raises(DataError, match=r"'frame_index' must be a whole num"):
        read(document)


def test_frame_twice():
    document = clip([[body()], [body()]])
    document["data"][1]["frame_index"] = 1
    with pytest.raises(DataError, match=r"data\[1\]: frame 1 occurs twice"):
        read(document)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is no JSON document: .*line 1 column 1"),
        (b'{"data": [\n}', "is no JSON document: .*line 2 column 1"),
        (b'{"data": NaN}', "is no JSON document: NaN is no number"),
        (b"[-Infinity]", "is no JSON document: -Infinity is no number"),
        (b"1" * 10**6, "is no JSON document: .*digits"),
        (b"[" * 10**5 + b"]" * 10**5, "is nested too deeply"),
        (b'{"a":' * 10**5, "is nested too deeply"),
        (b'{"data": "\xff"}', "is no JSON document: .*utf-8"),
        (b" " * (2**24 + 1), "has 16777217 bytes, more than a clip's"),
    ],
    ids=["empty", "syntax", "nan", "infinity", "digits", "lists", "objects",
         "encoding", "size"],
)  # fmt: skip
def test_documents_that_are_none(content, fault):
    with pytest.raises(DataError, match=rf"^clip {fault}"):
        parse(content, "clip")


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


def test_zip_and_folder_are_equal(archive, tmp_path):
    root = shutil.make_archive(
        tmp_path / "data", "zip", archive.parent, archive.name
    )
    one = open_all(archive, tmp_path)
    other = KineticsSkeleton(root, observed=2, future=1)
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
        ({"label": "x"}, r"t1\.json gives class 0 the name 'x', .*'juggling"),
        ({"label_index": 10**9}, "none of them names class 2"),
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
    [("[]", "must be an object"), ("{", r"is no JSON document: .*line 1")],
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
        ({"future": -1}, "'future' >= 0"),
    ],
)
def test_bad_arguments(tmp_path, arguments, culprit):
    with pytest.raises(ValueError, match=culprit):
        open_all(tmp_path / "data", tmp_path, **arguments)

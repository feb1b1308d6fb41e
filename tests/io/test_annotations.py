import os
import pickle
import subprocess

import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.datasets import SkeletonArrays
from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_annotations, read_labels

RANDOM = np.random.default_rng(0)


def clip(i=0, bodies=2, frames=9, channels=3, dtype=np.float32, **more):
    keypoint = RANDOM.normal(size=(bodies, frames, 17, channels))
    return {
        "frame_dir": f"clip{i}",
        "label": i % 2,
        "keypoint": keypoint.astype(dtype),
        "total_frames": frames,
        **more,
    }


def dump(document, protocol=4):
    return pickle.dumps(document, protocol)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_what_pyskl_writes(tmp_path, protocol, dtype):
    clips = [clip(i, dtype=dtype) for i in range(4)]
    clips[1]["label"] = np.int64(1)
    clips[2]["keypoint"] = np.asfortranarray(clips[2]["keypoint"])
    split = {"xsub_train": ["clip0", "clip1"], "xsub_val": ["clip2", "clip3"]}
    path = tmp_path / "a.pkl"
    path.write_bytes(dump({"split": split, "annotations": clips}, protocol))
    found, splits = read_annotations(path)
    assert splits == split
    for one, given in zip(found, clips, strict=True):
        assert (one.name, one.label) == (given["frame_dir"], given["label"])
        np.testing.assert_array_equal(one.frames, given["keypoint"])
        assert one.image_size is None


def test_scores_and_sizes():
    score = RANDOM.uniform(size=(2, 9, 17)).astype(np.float16)
    given = clip(channels=2, keypoint_score=score, img_shape=(480, 640))
    ((found,), splits) = read_annotations(dump([given]))
    assert splits == {}
    assert found.image_size == (640, 480)
    np.testing.assert_array_equal(found.frames[..., :2], given["keypoint"])
    np.testing.assert_array_equal(found.frames[..., 2], score)


def test_one_body_without_an_axis_of_bodies():
    score = RANDOM.uniform(size=(1, 9, 17))
    whole = clip(bodies=1, channels=2, keypoint_score=score)
    alone = {**whole, "keypoint": whole["keypoint"][0]}
    alone["keypoint_score"] = score[0]
    (expected, found), _ = read_annotations(dump([whole, alone]))
    np.testing.assert_array_equal(found.frames, expected.frames)


def test_from_file_to_data_set():
    content = dump({"split": {}, "annotations": [clip(i) for i in range(8)]})
    clips, _ = read_annotations(content)
    dataset = SkeletonArrays(
        [one.frames for one in clips], [one.label for one in clips],
        Skeleton.get("coco17"), num_observed=4, num_future=2,
    )  # fmt: skip
    assert dataset[0].num_bodies.item() == 2
    frames = clips[0].frames[1, :4].swapaxes(0, 1)
    np.testing.assert_array_equal(dataset[0].x[17:], frames)


@pytest.mark.parametrize("labels", [[0, 1, 1], np.array([0, 1, 1])])
def test_labels_of_st_gcn(labels):
    names = ["a.skeleton", "b.skeleton", "c.skeleton"]
    assert read_labels(dump((names, labels))) == (names, [0, 1, 1])


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "call",
    [
        Call(os.system, "touch pwned"),
        Call(subprocess.Popen, ["touch", "pwned"]),
        Call(eval, "open('pwned', 'w')"),
        Call(np.load, "secret.npy"),
        Call(np.zeros, 10**12),
        Call(getattr, "a", "upper"),
    ],
)
def test_nothing_is_called(tmp_path, monkeypatch, call, protocol):
    monkeypatch.chdir(tmp_path)
    content = dump({"annotations": [call]}, protocol)
    with pytest.raises(DataError, match=r"a\.pkl is not a .*would import"):
        read_annotations(content, "a.pkl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "array",
    [
        np.array([None, 1]), np.array(["a"]), np.zeros(2, "f4,f4"),
        np.zeros((0, 9, 17, 3)), np.zeros((9, 17)), [1, 2],
        np.full((1, 9, 17, 3), np.nan),
    ],
)  # fmt: skip
def test_arrays_that_are_no_poses(array):
    with pytest.raises(DataError, match=r"a\.pkl"):
        read_annotations(dump([{**clip(), "keypoint": array}]), "a.pkl")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"label": 1.5}, r"annotations\[1\]: .* and 'label' a whole number"),
        ({"label": -1}, r"annotations\[1\]: .*got 'clip1' and -1"),
        ({"frame_dir": 3}, r"annotations\[1\]: expected 'frame_dir' to be a"),
        (
            {"keypoint_score": np.ones((2, 8, 17))},
            r"annotations\[1\] \(clip1\): .*\[2, 9, 17\]",
        ),
        (
            {"img_shape": (0, 5)},
            r"annotations\[1\] \(clip1\): expected 'img_sh",
        ),
    ],
)
def test_faults_name_the_clip(change, fault):
    content = dump([clip(0), {**clip(1), **change}])
    with pytest.raises(DataError, match=rf"a\.pkl, {fault}"):
        read_annotations(content, "a.pkl")


@pytest.mark.parametrize(
    "document", [5, {"annotations": 5}, [5], {"split": {"a": 5}}, None]
)
def test_other_documents(document):
    with pytest.raises(DataError, match=r"a\.pkl"):
        read_annotations(dump(document), "a.pkl")
    with pytest.raises(DataError, match=r"a\.pkl: expected the names and"):
        read_labels(dump(document), "a.pkl")


def test_memos_that_are_not_there():
    """An index of 2^31 would be allocated for."""
    content = b"\x80\x02]r\xff\xff\xff\x7f."
    with pytest.raises(DataError, match="memo 2147483647"):
        read_annotations(content, "a.pkl")

import json

import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import read_kinetics, read_kinetics_labels
from tests.io.kinetics_document import body, clip


def read(document, **arguments):
    return read_kinetics(json.dumps(document).encode(), "clip", **arguments)


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


def test_one_body_is_followed_not_the_most_confident_of_each_frame():
    frames = [
        [body(0.1, score=0.3), body(0.9, score=0.6)],
        [body(0.8, score=0.5), body(0.2, score=0.9)],
        [body(0.3, score=0.2), body(0.7, score=0.6)],
    ]
    (motion,) = read(clip(frames))
    np.testing.assert_allclose(motion[:, 0, 0], [0.4, 0.3, 0.2])
    np.testing.assert_array_equal(
        [motion], read(clip(frames), max_bodies=2)[:1]
    )


def test_one_body_is_absent_where_only_another_is_seen():
    frames = [[body(0.1, score=0.3), body(0.9, score=0.6)], [body(0.2)]]
    (motion,) = read(clip(frames))
    np.testing.assert_allclose(motion[:, 0, 0], [-0.4, -0.3])
    frames[0][1] = body(0.9, score=0.9)
    (motion,) = read(clip(frames))
    assert motion[:, 0, 2].tolist() == [0.9, 0.0]


def test_crowds():
    """At most 16 bodies of a frame are linked, unless more are wanted."""
    crowd = clip([[body(0.01 * i, score=0.5 + 0.01 * i) for i in range(40)]])
    assert len(read(crowd, max_bodies=9)) == 9
    assert len(read(crowd, max_bodies=30)) == 30


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


@pytest.mark.parametrize("index", [-1, 302, 10**12, 10**4000])
def test_frame_that_cannot_be(index):
    document = clip([[body()]])
    document["data"][0]["frame_index"] = index
    fault = rf"data\[0\]: .* from 0 to 301, got {str(index)[:20]}"
    with pytest.raises(DataError, match=fault):
        read(document)


def test_frames_that_count_from_zero():
    document = clip([[body(0.1 * t)] for t in range(1, 4)])
    expected = read(document)
    for entry in document["data"]:
        entry["frame_index"] -= 1
    np.testing.assert_array_equal(read(document), expected)


def test_long_clips():
    (motion,) = read(clip([[body()]] * 400))
    assert motion.shape == (400, 18, 3)


def test_pixels():
    fractions = clip([[body(0.25)]])
    document = clip([[body(0.25)]])
    pose = document["data"][0]["skeleton"][0]["pose"]
    pose[::2] = [640 * x for x in pose[::2]]
    pose[1::2] = [480 * y for y in pose[1::2]]
    with pytest.raises(DataError, match=r"skeleton\[0\]: .*'image_size' \(w"):
        read(document)
    np.testing.assert_allclose(
        read(document, image_size=(640, 480)), read(fractions)
    )


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
        (b"", "is not a JSON document: .*line 1 column 1"),
        (b'{"data": [\n}', "is not a JSON document: .*line 2 column 1"),
        (b'{"data": NaN}', "is not a JSON document: NaN is not a nu"),
        (b"[-Infinity]", "is not a JSON document: -Infinity is not a nu"),
        (b"1" * 10**6, "is not a JSON document: .*digits"),
        (b"[" * 10**5 + b"]" * 10**5, "is nested too deeply"),
        (b'{"a":' * 10**5, "is nested too deeply"),
        (b'{"data": "\xff"}', "is not a JSON document: .*utf-8"),
        (b" " * (2**24 + 1), "has 16777217 bytes, more than the 16777216"),
    ],
    ids=["empty", "syntax", "nan", "infinity", "digits", "lists", "objects",
         "encoding", "size"],
)  # fmt: skip
def test_documents_that_are_none(content, fault):
    with pytest.raises(DataError, match=rf"^clip {fault}"):
        read_kinetics(content, "clip")


def test_labels():
    label = {"label": "juggling", "label_index": 7, "has_skeleton": True}
    labels = read_kinetics_labels(json.dumps({"clip": label}).encode())
    assert labels == {"clip": ("juggling", 7, True)}


def test_labels_without_end():
    with pytest.raises(DataError, match=r"l\.json has 67108865 bytes, more"):
        read_kinetics_labels(b" " * (2**26 + 1), "l.json")

import json

import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import fill_gaps, read_mediapipe

FRAMES = np.random.default_rng(0).normal(size=(4, 33, 3)).round(4)


def landmarks(frame):
    return [
        {"x": x, "y": y, "z": z, "visibility": 0.9}
        for x, y, z in frame.tolist()
    ]


def read(document, **arguments):
    content = json.dumps(document).encode()
    return read_mediapipe(content, "a.json", **arguments)


@pytest.mark.parametrize(
    "form",
    [
        landmarks,
        lambda f: {"pose_world_landmarks": landmarks(f), "pose_landmarks": []},
        lambda f: {"poseLandmarks": landmarks(f)},
        lambda f: {"pose_landmarks": {"landmark": landmarks(f)}},
        lambda f: {"pose_landmarks": [landmarks(f)]},
        lambda f: {"landmarks": landmarks(f), "timestamp": 5},
    ],
)
def test_forms_that_programs_write(form):
    document = [form(frame) for frame in FRAMES]
    for whole in (document, {"frames": document}):
        frames, skeleton, _, _ = read(whole)
        np.testing.assert_array_equal(frames, FRAMES)
        assert skeleton.name == "mediapipe33"


def test_hands():
    hands = [landmarks(frame) for frame in FRAMES[:, :21]]
    assert read(hands).skeleton.name == "hand21"


@pytest.mark.parametrize("absent", [None, [], {"pose_landmarks": None}])
def test_frames_without_a_body_are_missing(absent):
    document = [landmarks(frame) for frame in FRAMES]
    document[1] = absent
    frames = read(document).frames
    assert np.isnan(frames[1]).all()
    filled = fill_gaps(frames, "a.json")
    np.testing.assert_allclose(filled[1], FRAMES[[0, 2]].mean(0))
    with pytest.raises(EmptyRecordingError, match=r"a\.json shows no body"):
        read([absent, absent])


TWO = np.stack([FRAMES, FRAMES + np.array([5, 0, 0])])


@pytest.mark.parametrize("form", ["list", "object", "world"])
def test_several_bodies_are_linked(form):
    """MediaPipe lists the bodies of a frame in any order."""
    document = []
    for t, order in enumerate([[0, 1], [1, 0], [1], [1, 0]]):
        bodies = [landmarks(TWO[body, t]) for body in order]
        frame = {"pose_landmarks": bodies}
        if form == "world":
            world = [
                landmarks(TWO[body, t] - TWO[body, t, 0]) for body in order
            ]
            frame["pose_world_landmarks"] = world
        document.append(bodies if form == "list" else frame)
    frames, skeleton, _, _ = read(document, max_bodies=2)
    # The body that is in more frames comes first.
    expected = TWO[::-1].copy()
    if form == "world":
        expected -= expected[:, :, :1]
    expected[1, 2] = np.nan
    np.testing.assert_allclose(frames, expected, atol=1e-12)
    assert skeleton.name == "mediapipe33"


def test_one_body_where_several_may_be():
    frames = read([landmarks(f) for f in FRAMES], max_bodies=2).frames
    np.testing.assert_array_equal(frames, FRAMES[None])


def test_world_landmarks_of_several_bodies_have_no_place():
    frame = {"pose_world_landmarks": [landmarks(f) for f in FRAMES[:2]]}
    for places in ({}, {"pose_landmarks": [landmarks(FRAMES[0])]}):
        with pytest.raises(DataError, match=r"frame 0: the world .* of 2 bodi"):
            read([frame | places], max_bodies=2)


def test_no_bodies_to_keep():
    with pytest.raises(ValueError, match=r"'max_bodies' .* at least 1, got 0"):
        read([landmarks(FRAMES[0])], max_bodies=0)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (5, "expected a list of frames"),
        ({}, "expected a list of frames"),
        ([5], "frame 0: expected a list of landmarks"),
        ([{"a": []}], "frame 0: expected landmarks under"),
        ([landmarks(FRAMES[0]), [5]], "frame 1, landmark 0: expected finite"),
        ([[{"x": 1, "y": True, "z": 1}] * 33], "frame 0, landmark 0: expec"),
        ([landmarks(FRAMES[0][:5])], "33 landmarks .*got 5"),
        ([[landmarks(FRAMES[0])] * 2], "frame 0: exp.*, pass max_bodies=2"),
        ([[{"x": 10**400, "y": 0, "z": 0}] * 33], "expected finite"),
    ],
)
def test_other_documents(document, fault):
    with pytest.raises(DataError, match=rf"^a\.json.*{fault}"):
        read(document)

import json
import zipfile

import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import read_openpose


def person(x, joints=25, score=0.5):
    return {"pose_keypoints_2d": [x, 10.0, score] * joints}


def write(folder, frames, name="clip", start=0):
    folder.mkdir(exist_ok=True)
    for t, people in enumerate(frames, start=start):
        path = folder / f"{name}_{t:012d}_keypoints.json"
        path.write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


@pytest.mark.parametrize(
    ("joints", "layout"), [(25, "openpose25"), (18, "kinetics18")]
)
def test_one_body(tmp_path, joints, layout):
    frames = [[person(x, joints)] for x in (1.0, 2.0, 3.0)]
    motion, skeleton, *_ = read_openpose(write(tmp_path / "v", frames, start=5))
    assert motion.shape == (1, 3, joints, 3)
    assert motion[0, :, 0].tolist() == [
        [1, 10, 0.5],
        [2, 10, 0.5],
        [3, 10, 0.5],
    ]
    assert skeleton.name == layout


def test_joints_that_were_not_found(tmp_path):
    body = person(5.0)
    body["pose_keypoints_2d"][3:6] = [7.0, 7.0, 0.0]
    motion = read_openpose(write(tmp_path / "v", [[body]])).frames
    assert motion[0, 0, 1].tolist() == [0, 0, 0]


def test_archives_with_frames_missing(tmp_path):
    folder = write(tmp_path / "v", [[person(1.0)], [person(2.0)]])
    (folder / "clip_000000000001_keypoints.json").rename(
        folder / "clip_000000000003_keypoints.json"
    )
    archive = tmp_path / "v.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.iterdir():
            file.write(path, f"v/{path.name}")
    motion = read_openpose(archive).frames
    assert motion[0, :, 0, 0].tolist() == [1, 0, 0, 2]


def test_no_body(tmp_path):
    with pytest.raises(EmptyRecordingError, match="v shows no body"):
        read_openpose(write(tmp_path / "v", [[], []]))


def test_people_of_whom_only_the_face_was_found(tmp_path):
    face = {"pose_keypoints_2d": [], "face_keypoints_2d": [1.0] * 210}
    motion = read_openpose(write(tmp_path / "v", [[face], [face, person(2.0)]]))
    assert motion.frames[0, :, 0, 0].tolist() == [0, 2]
    with pytest.raises(EmptyRecordingError, match="faces shows no body"):
        read_openpose(write(tmp_path / "faces", [[face]]))


def test_several_videos(tmp_path):
    write(tmp_path / "v", [[person(1.0)]])
    write(tmp_path / "v", [[person(1.0)]], name="other")
    with pytest.raises(DataError, match="2 files of 2 videos clip, other"):
        read_openpose(tmp_path / "v")


@pytest.mark.parametrize(
    ("people", "fault"),
    [
        ([person(1.0, 24)], "bodies of 25 or 18 joints, got 24"),
        ([person(1.0), person(1.0, 18)], "25 or 18 joints, got 18, 25"),
        ([{}], r"json, people\[0\]: 'pose_keypoints_2d' must be a list"),
        ([{"pose_keypoints_2d": [1, 2]}], r"people\[0\]: .* got 2 numbers"),
        ([{"pose_keypoints_2d": ["a"] * 75}], r"must be 75 finite numbers"),
        (5, "'people' must be a list"),
    ],
)
def test_bad_files(tmp_path, people, fault):
    with pytest.raises(DataError, match=fault):
        read_openpose(write(tmp_path / "v", [people]))


def test_frames_far_off(tmp_path):
    write(tmp_path / "v", [[person(1.0)]])
    write(tmp_path / "v", [[person(1.0)]], start=10**9)
    with pytest.raises(DataError, match="frame 1000000000 is more than 108000"):
        read_openpose(tmp_path / "v")


def test_nothing_there(tmp_path):
    (tmp_path / "v").mkdir()
    with pytest.raises(DataError, match="0 files of 0 videos"):
        read_openpose(tmp_path / "v")
    np.save(tmp_path / "v" / "x.npy", np.ones(3))
    with pytest.raises(DataError, match="0 files"):
        read_openpose(tmp_path / "v")


def standing(x, score=0.5):
    """A person 100 pixels tall."""
    numbers = [v for y in range(25) for v in (x, 100 * y / 24, score)]
    return {"pose_keypoints_2d": numbers}


def test_who_leaves_is_not_who_enters_far_away(tmp_path):
    people = [[standing(10.0)], [standing(15.0)], [], [standing(900.0)]] * 2
    one, two = read_openpose(write(tmp_path / "v", people), 5).frames
    assert one[:, 0, 0].tolist() == [10, 15, 0, 0, 10, 15, 0, 0]
    assert two[:, 0, 0].tolist() == [0, 0, 0, 900, 0, 0, 0, 900]
    np.testing.assert_array_equal(
        read_openpose(tmp_path / "v").frames, one[None]
    )


@pytest.mark.parametrize("unit", [1, 0.001, 1000])
def test_the_limit_grows_with_the_body(tmp_path, unit):
    def scaled(x):
        numbers = np.reshape(standing(x)["pose_keypoints_2d"], (-1, 3))
        return {"pose_keypoints_2d": [*np.ravel(numbers * [unit, unit, 1])]}

    near = write(tmp_path / "near", [[scaled(0.0)], [scaled(99.0)]])
    far = write(tmp_path / "far", [[scaled(0.0)], [scaled(101.0)]])
    assert len(read_openpose(near, 5).frames) == 1
    assert len(read_openpose(far, 5).frames) == 2


def test_only_tracks_seen_last_wait(tmp_path):
    """A crowd of strangers in each frame takes bounded time."""
    strangers = [
        [standing(1000.0 * (16 * t + i)) for i in range(16)] for t in range(5)
    ]
    write(tmp_path / "v", [*strangers, strangers[0]])
    for most, seen in ((99, 2), (16, 1)):
        motion = read_openpose(tmp_path / "v", max_bodies=most).frames
        assert len(motion) == min(most, 16 * 5)
        assert motion[0].any(axis=(1, 2)).sum() == seen

import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import fill_gaps, read_deeplabcut, read_sleap

SINGLE = """scorer,net,net,net,net,net,net
bodyparts,nose,nose,nose,tail,tail,tail
coords,x,y,likelihood,x,y,likelihood
0,1,2,0.9,3,4,0.8
1,5,6,0.7,,,
2,9,10,0.5,11,12,0.6
"""
SEVERAL = """scorer,net,net,net,net,net,net
individuals,a,a,a,b,b,b
bodyparts,nose,nose,nose,nose,nose,nose
coords,x,y,likelihood,x,y,likelihood
0,1,2,0.9,3,4,0.8
1,5,6,0.7,nan,nan,nan
"""
NODES = "nose.x,nose.y,nose.score,tail.x,tail.y,tail.score"
SLEAP = f"""track,frame_idx,instance.score,{NODES}
track_0,0,0.9,1,2,0.9,3,4,0.8
track_1,0,0.9,20,30,0.5,40,50,0.5
track_0,2,0.9,5,6,0.9,,,
"""
NAN = np.nan


def test_deeplabcut_of_one_animal(tmp_path):
    (tmp_path / "a.csv").write_text(SINGLE)
    frames, joints, bodies = read_deeplabcut(tmp_path / "a.csv")
    assert (joints, bodies) == (["nose", "tail"], [""])
    expected = [
        [[1, 2, 0.9], [3, 4, 0.8]],
        [[5, 6, 0.7], [NAN, NAN, 0]],
        [[9, 10, 0.5], [11, 12, 0.6]],
    ]
    np.testing.assert_array_equal(frames, [expected])
    filled = fill_gaps(frames, "a.csv")
    assert filled[0, 1, 1, :2].tolist() == [7, 8]


def test_deeplabcut_of_two_animals():
    frames, joints, bodies = read_deeplabcut(SEVERAL.encode())
    assert (joints, bodies) == (["nose"], ["a", "b"])
    expected = [
        [[[1, 2, 0.9]], [[5, 6, 0.7]]],
        [[[3, 4, 0.8]], [[NAN, NAN, 0]]],
    ]
    np.testing.assert_array_equal(frames, expected)


def test_sleap():
    frames, joints, bodies = read_sleap(SLEAP.encode())
    assert (joints, bodies) == (["nose", "tail"], ["track_0", "track_1"])
    assert frames.shape == (2, 3, 2, 3)
    assert frames[0, :, 0, 0].tolist()[::2] == [1, 5]
    assert np.isnan(frames[0, 1, :, :2]).all()
    assert np.isnan(frames[0, 2, 1, :2]).all()
    assert frames[1, 0].tolist() == [[20, 30, 0.5], [40, 50, 0.5]]
    assert np.isnan(frames[1, 1:, :, :2]).all()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("bodyparts,", "parts,", "a.csv: expected rows 'scorer', 'bodyparts'"),
        ("coords,x,y", "coords,y,x", "columns x, y and likelihood of each"),
        ("1,5,6,0.7,,,", "1,5,6", "line 5: 2 numbers, expected 6"),
        ("5,6,0.7", "5,six,0.7", "line 5: 'six' is not a finite number"),
        ("5,6,0.7", "5,inf,0.7", "line 5: 'inf' is not a finite number"),
        (SINGLE, "", "a.csv: expected rows"),
        (SINGLE, "\x00", "a.csv"),
    ],
)
def test_bad_deeplabcut(old, new, fault):
    assert old in SINGLE
    with pytest.raises(DataError, match=fault):
        read_deeplabcut(SINGLE.replace(old, new, 1).encode(), "a.csv")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("frame_idx", "frame", "line 1: expected the columns track"),
        ("tail.y", "tail.z", "line 1: expected the columns track"),
        ("track_1,0", "track_0,0", "line 3: track 'track_0' is in frame 0 twi"),
        ("track_0,2", "track_0,-1", "line 4: '-1' is not a frame"),
        ("track_0,2", "track_0,999999999", "line 4: '999999999' is not a fr"),
        ("track_0,2", "track_0,1.5", "line 4: '1.5' is not a frame"),
        ("5,6,0.9,,,", "5,6", "line 4: 2 numbers, expected 6"),
    ],
)
def test_bad_sleap(old, new, fault):
    assert old in SLEAP
    with pytest.raises(DataError, match=rf"^a\.csv, {fault}"):
        read_sleap(SLEAP.replace(old, new, 1).encode(), "a.csv")


def test_no_frames():
    for read, text in ((read_deeplabcut, SINGLE), (read_sleap, SLEAP)):
        head = "\n".join(row for row in text.split("\n") if "0.9" not in row)
        head = head.split("\n1,")[0]
        with pytest.raises(EmptyRecordingError, match=r"a\.csv has no frames"):
            read(head.encode(), "a.csv")

import io

import h5py
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


def sleap_hdf5(order="matlab", **changes):
    """The table above as SLEAP writes it, or in the order of Python."""
    frames, joints, bodies = read_sleap(SLEAP.encode())
    file = io.BytesIO()
    axes, score_axes = (0, 3, 2, 1), (0, 2, 1)
    if order == "standard":
        axes, score_axes = (1, 0, 2, 3), (1, 0, 2)
    arrays = {
        "tracks": frames[..., :2].transpose(axes),
        "point_scores": frames[..., 2].transpose(score_axes),
        "node_names": np.array(joints, "S"),
        "track_names": np.array(bodies, "S"),
        "track_occupancy": np.ones((3, 2), "u1"),
        **changes,
    }
    with h5py.File(file, "w") as written:
        for name, value in arrays.items():
            if isinstance(value, h5py.SoftLink | h5py.ExternalLink):
                written[name] = value
            elif value is not None:
                zipped = {"compression": "gzip"} if value.size else {}
                written.create_dataset(name, data=value, **zipped)
    return file.getvalue()


@pytest.mark.parametrize("order", ["matlab", "standard"])
def test_sleap_hdf5_equals_csv(order, tmp_path):
    (tmp_path / "a.h5").write_bytes(sleap_hdf5(order))
    expected = read_sleap(SLEAP.encode())
    found = read_sleap(tmp_path / "a.h5")
    np.testing.assert_array_equal(found.frames, expected.frames)
    assert found[1:] == expected[1:]


@pytest.mark.parametrize("first", [500, 5_000_000])
def test_sleap_counts_from_the_first_frame_with_an_animal(first):
    text = SLEAP.replace(",0,0.9,", f",{first},0.9,")
    text = text.replace(",2,0.9,5", f",{first + 2},0.9,5")
    expected = read_sleap(SLEAP.encode()).frames
    np.testing.assert_array_equal(read_sleap(text.encode()).frames, expected)


def test_sleap_hdf5_counts_from_the_first_frame_with_an_animal():
    expected = read_sleap(SLEAP.encode()).frames
    wide = np.full((2, 512, 2, 3), NAN)
    wide[:, 500:503] = expected
    content = sleap_hdf5(
        tracks=wide[..., :2].transpose(0, 3, 2, 1),
        point_scores=wide[..., 2].transpose(0, 2, 1),
    )
    np.testing.assert_array_equal(read_sleap(content).frames, expected)


def test_sleap_without_an_animal():
    nobody = sleap_hdf5(tracks=np.full((2, 2, 2, 3), NAN))
    with pytest.raises(EmptyRecordingError, match=r"a\.h5 shows no animal"):
        read_sleap(nobody, "a.h5")


def test_sleap_hdf5_of_one_animal_without_a_track():
    one = read_sleap(SLEAP.encode()).frames[:1]
    content = sleap_hdf5(
        tracks=one[..., :2].transpose(0, 3, 2, 1),
        point_scores=one[..., 2].transpose(0, 2, 1),
        track_names=np.array([]),
    )
    frames, _, bodies = read_sleap(content)
    assert bodies == [""]
    np.testing.assert_array_equal(frames, one)


def test_points_placed_by_hand_have_a_likelihood_of_one():
    text = SLEAP.replace("1,2,0.9,", "1,2,,")
    assert read_sleap(text.encode()).frames[0, 0, 0].tolist() == [1, 2, 1]
    scores = np.full((2, 2, 3), NAN)
    frames = read_sleap(sleap_hdf5(point_scores=scores)).frames
    present = ~np.isnan(frames[..., 0])
    assert present.sum() == 5
    np.testing.assert_array_equal(frames[..., 2], present)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tracks": None}, "'tracks' is missing or a link"),
        ({"tracks": h5py.SoftLink("/point_scores")}, "'tracks' is missing or "),
        ({"tracks": h5py.ExternalLink("b.h5", "tracks")}, "is missing or a li"),
        ({"node_names": np.array(["a", "b"], object)}, "names of a fixed len"),
        ({"node_names": np.array(["a", "a"], "S")}, "holds a name twice"),
        ({"node_names": np.array(["a\n", "b"], "S")}, "control characters"),
        ({"node_names": np.array([1, 2])}, "'node_names' is not a list of na"),
        ({"tracks": np.ones((2, 2, 2, 4))}, r"2 nodes, got \[2, 2, 2, 4\] and"),
        (
            {"tracks": np.ones((3, 2, 2, 2))},
            r"2 nodes, got \[3, 2, 2, 2\] and \[2, 2, 3\]",
        ),
        (
            {"point_scores": np.ones((2, 2, 3), int)},
            "of floating point numbers, got float64 and int64",
        ),
        ({"tracks": np.full((2, 2, 2, 3), np.inf)}, "not finite"),
        ({"tracks": np.ones((2, 2, 2), "f4,f4")}, "'tracks' is not a plain ar"),
    ],
)
def test_bad_sleap_hdf5(changes, fault):
    with pytest.raises(DataError, match=rf"^a\.h5.*{fault}"):
        read_sleap(sleap_hdf5(**changes), "a.h5")


@pytest.mark.parametrize(
    ("shape", "fault"),
    [((100_000,), "declares more data"), ((10**9,), "has 4000000000 bytes")],
)
def test_hdf5_that_declares_more_than_it_holds(shape, fault):
    file = io.BytesIO(sleap_hdf5())
    with h5py.File(file, "r+") as written:
        del written["tracks"]
        written.create_dataset(
            "tracks", shape, "f4", chunks=(1000,), compression="gzip"
        )
    with pytest.raises(DataError, match=rf"^a\.h5: 'tracks' {fault}"):
        read_sleap(file.getvalue(), "a.h5")


def test_hdf5_of_deeplabcut_is_refused():
    with pytest.raises(DataError, match=r"^a\.h5 is an HDF5.*read_hdf\(file\)"):
        read_deeplabcut(sleap_hdf5(), "a.h5")


def test_truncated_hdf5():
    with pytest.raises(DataError, match=r"^a\.h5 cannot be read as an HDF5 f"):
        read_sleap(sleap_hdf5()[:500], "a.h5")


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
        (
            "track_0,2",
            "track_0,1010",
            "line 4: '1010' is not a frame of the "
            "table, whose first is 0: .*; split the table there",
        ),
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

import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_recording, same_unit
from symgnn_pyg.io.csv import read_timed_csv

JOINTS = ("hip", "left knee", "right knee")
FRAMES = np.random.default_rng(0).normal(size=(4, 3, 3)).round(3)
# The frame, its time, and the positions.
FLAT = FRAMES.reshape(4, 9).tolist()
ROWS = [[t, t / 120, *FLAT[t]] for t in range(4)]


def text(*head, rows=ROWS, mark=","):
    lines = [*head, *(map(str, row) for row in rows)]
    return "\r\n".join(
        line if isinstance(line, str) else mark.join(line) for line in lines
    )


def read(content):
    return read_timed_csv(content.encode(), JOINTS, "a.csv", True)[:2]


def each(cells, times=3):
    """Every cell in three columns, after those of the frame and its time."""
    return ",," + ",".join(cell for cell in cells for _ in range(times))


def motive(prefix="", unit="Meters"):
    first = f"Format Version,1.23,Capture Frame Rate,120.0,Length Units,{unit}"
    names = each([prefix + joint for joint in JOINTS])[1:]
    return [
        first, "", f",Type{each(['Marker'] * 3)[1:]}", f",Name{names}",
        f",ID{each(['1', '2', '3'])[1:]}", each(["Position"] * 3),
        "Frame,Time (Seconds)" + ",X,Y,Z" * 3,
    ]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "Anna:", "Skeleton 001:"])
def test_motive(prefix):
    frames, rate = read(text(*motive(prefix)))
    np.testing.assert_array_equal(frames, FRAMES)
    assert rate == 120
    with pytest.warns(UserWarning, match="Tables in Millimeters are read as"):
        read(text(*motive(prefix, "Millimeters")))
    with pytest.raises(DataError, match=r"a\.csv, line 8, column 3: 'gone' is"):
        read(text(*motive(), rows=[[0, 0, "gone", *range(8)]]))


def test_motive_states_the_unit():
    skeleton = Skeleton(JOINTS, [(1, 0), (2, 0)])
    motion = read_recording(text(*motive()).encode(), "a.csv", skeleton)
    assert (motion.unit, motion.frame_rate) == ("Meters", 120)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("m", "Meters", True), ("metre", "meter", True), ("mm", "m", False),
        ("mm", "Millimeters", True), ("centimetres", "CM", True),
        ("of my own", "Of my own", True), ("of my own", "m", False),
    ],
)  # fmt: skip
def test_names_of_units(one, other, same):
    assert same_unit(one, other) is same


def test_rotations_of_motive_are_left_out():
    kinds = ["Rotation"] * 4 + ["Position"] * 3
    head = [
        each(JOINTS, 7), ",," + ",".join(kinds * 3),
        "Frame,Time" + ",X,Y,Z,W,X,Y,Z" * 3,
    ]  # fmt: skip
    rows = [
        [t, t / 120, *(n for joint in frame for n in (9, 9, 9, 9, *joint))]
        for t, frame in enumerate(FRAMES.tolist())
    ]
    frames, rate = read(text(*head, rows=rows))
    np.testing.assert_array_equal(frames, FRAMES)
    assert rate == 120


@pytest.mark.parametrize("prefix", ["", "Anna:"])
@pytest.mark.parametrize("end", ["", "," * 10])
def test_vicon(prefix, end):
    names = ",," + ",,,".join(prefix + joint for joint in JOINTS) + ",,"
    head = [
        f"Trajectories{end}", f"100{end}", names,
        "Frame,Sub Frame" + ",X,Y,Z" * 3, ",," + ",".join(["mm"] * 9),
    ]  # fmt: skip
    rows = [[t + 7, 0, *row[2:]] for t, row in enumerate(ROWS)]
    rows[2][2:5] = ["", "", ""]
    with pytest.warns(UserWarning, match="Tables in mm are read as they are"):
        frames, rate = read(text(*head, rows=rows))
    expected = FRAMES.copy()
    expected[2, 0] = np.nan
    np.testing.assert_array_equal(frames, expected)
    assert rate == 100


def test_a_rate_of_zero_is_none():
    names = "," + ",".join(f"{j}_{a}" for j in JOINTS for a in "xyz")
    rows = [row[1:] for row in ROWS]
    assert read(text("Trajectories", "0", f"note{names}", rows=rows))[1] is None


@pytest.mark.parametrize("has_names", [True, False])
@pytest.mark.parametrize("has_times", [True, False])
def test_qualisys(has_names, has_times):
    columns = ["Frame", "Time", *(f"{j} {a}" for j in JOINTS for a in "XYZ")]
    head = [
        ["NO_OF_FRAMES", "4"], ["FREQUENCY", "120"], ["DESCRIPTION", "--"],
        ["TIME_STAMP", "2026-11-30, 10:00:00.000", "1234.5"],
        ["MARKER_NAMES", *JOINTS], ["TRAJECTORY_TYPES", *["Measured"] * 3],
    ]  # fmt: skip
    first = 0 if has_times else 2
    rows = [row[first:] for row in ROWS]
    head += [columns[first:]] * has_names
    frames, rate = read(text(*head, rows=rows, mark="\t"))
    np.testing.assert_array_equal(frames, FRAMES)
    assert rate == 120


def test_words_among_numbers_are_not_axes():
    names = [f"{joint}_{axis}" for joint in JOINTS for axis in "xyz"]
    rows = [[*row[2:], "x", "y"] for row in ROWS]
    content = text(",".join([*names, "first", "second"]), rows=rows)
    np.testing.assert_array_equal(read(content)[0], FRAMES)


def test_joints_may_be_called_as_missing_numbers():
    frames = read_timed_csv(b"none,null,hip\n1,2,3", ("none", "null", "hip"))
    assert frames[0].tolist() == [[[1], [2], [3]]]


def test_columns_of_two_levels_in_pandas():
    axes = ["x", "y", "z"]
    content = text(f",{each(JOINTS)[2:]}", f"axis,{','.join(axes * 3)}",
                   rows=[row[:1] + row[2:] for row in ROWS])  # fmt: skip
    np.testing.assert_array_equal(read(content)[0], FRAMES)


def test_scores_below_joints():
    head = [each(JOINTS, 3)[1:], "coords" + ",x,y,likelihood" * 3]
    frames, _ = read(text(*head, rows=[row[1:] for row in ROWS]))
    # The channels x, y and then others.
    np.testing.assert_array_equal(frames, FRAMES)


def test_a_table_below_others():
    other = ["Devices", "1000", "Frame,Force", *(f"{t},1.5" for t in range(30))]
    with pytest.raises(DataError, match=r"must be in the first 25 lines$"):
        read(text(*other, "Trajectories", "100", each(JOINTS)))


def test_data_are_not_searched_for_names():
    """A table that begins again must not lose its first part."""
    names = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")
    rows = [row[2:] for row in ROWS]
    content = text(names.replace("hip", "hop"), rows=[*rows, names, *rows])
    with pytest.raises(DataError, match=r"line 1: .* joint 'hip'.*, got none"):
        read(content)


@pytest.mark.parametrize(
    ("joint", "call"),
    [
        ("hip", r"wide = table\.pivot\(index='frame', columns='joint', "
         r"values=\['x', 'y'\]\); wide\.columns = \[f'{joint}_{axis}' for"),
        ("0", r"table\.sort_values\(\['frame', 'joint'\]\)\[\['x', 'y'\]\]"),
    ],
)  # fmt: skip
def test_one_joint_per_line_tells_the_cure(joint, call):
    with pytest.raises(DataError, match=call):
        read(f"frame,joint,x,y,score\n0,{joint},1,2,0.5\n")

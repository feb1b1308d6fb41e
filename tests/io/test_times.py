import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_csv, read_recording

JOINTS = ("hip", "knee")
SKELETON = Skeleton(JOINTS, [("knee", "hip")])
RANDOM = np.random.default_rng(0)
COUNT = np.arange(600)
UNEVEN = np.cumsum(RANDOM.uniform(0.02, 0.06, 600))


def table(times, head="time", x=None):
    """A hip that moves as told, and a knee that stays."""
    x = COUNT[: len(times)] if x is None else x
    rows = [f"{time},{place},7" for time, place in zip(times, x, strict=True)]
    return "\n".join([f"{head},hip_x,knee_x", *rows]).encode()


def read(*args, **arguments):
    return read_recording(table(*args), "a.csv", SKELETON, **arguments)


@pytest.mark.parametrize(
    ("head", "times", "rate"),
    [
        ("time", COUNT / 50, 50),
        ("Time (s)", [f"{t / 30:.2f}" for t in COUNT], 30),
        ("t", (COUNT * 1000 / 240).astype(int) + 1_700_000_000_000, 240),
        ("timestamp", 1_700_000_000 + COUNT / 29.97, 29.97),
        ("elapsed_time", COUNT / 50 + RANDOM.uniform(0, 0.008, 600), 50),
        ("%time", 1_700_000_000_000_000_000 + COUNT * 33_333_333, 30),
        # Ticks of 100 ns: of .NET, of Windows, and as named.
        ("time", 636_000_000_000_000_000 + COUNT * 333_333, 30),
        ("t", 133_000_000_000_000_000 + COUNT * 166_667, 60),
        ("time_ticks", COUNT * 333_333, 30),
        ("Time (100 ns)", COUNT * 333_333, 30),
        # A tick of a game is not a time.
        ("ticks", COUNT * 3, None),
        ("t", 1_700_000_000_000_000 + COUNT * 333_333, 3),
        ("t", COUNT * 33_333, 30),
        ("time_us", COUNT * 333_333, 3),
        ("time_ms", COUNT, 1000),
        ("Time [s]", COUNT, 1),
        ("t (us)", COUNT * 0.5, 2e6),
        ("Timestamp", [f"2024-02-29 23:59:{t / 10:06.3f}" for t in COUNT], 10),
        ("time", [f"12:00:{t / 10:06.3f}" for t in COUNT], 10),
        ("time_ms", [f"2024-01-01 10:{2 * t // 60:02}:{2 * t % 60:02}"
                     for t in COUNT[:99]], 0.5),
        ("time", ["2024-03-31T01:59:59.9+01:00", "2024-03-31T03:00:00+02:00",
                  "2024-03-31T03:00:00.1+02:00"], 10),
        # Rounded to milliseconds, steps alternate.
        *(("t", (COUNT[:198] * 1000 / rate).round().astype(int), rate)
          for rate in (400, 450, 480)),
        # Numbers of frames, other units, or nothing that could be read.
        ("time", 45000.25 + COUNT / 60 / 86400, None),
        ("time", COUNT / 30 / 60, None),
        ("time", [f"59:{t / 10:06.3f}" for t in COUNT], None),
        ("time", COUNT, None),
        ("Frame #", COUNT * 5, None),
        ("frame_time", UNEVEN, None),
        ("time", ["late"] * 600, None),
        ("t", [0] * 600, None),
        ("time", [3], None),
        # A time tells more than a frame.
        ("frame,time", [f"{t},{t / 50}" for t in COUNT], 50),
    ],
)  # fmt: skip
def test_rates(head, times, rate):
    motion = read(times, head)
    assert motion.frame_rate == (rate and pytest.approx(rate, rel=1e-3))
    assert motion.frames[:, 0, 0].tolist() == [*range(len(times))]


@pytest.mark.parametrize("head", ["time", "frame"])
def test_missing_frames(head):
    times = np.delete(COUNT / 50 if head == "time" else COUNT, [7, 8, 100])
    x = np.delete(COUNT, [7, 8, 100])
    with pytest.raises(
        DataError,
        match=rf"^a\.csv, line 9: frames are missing before this line according"
        rf" to '{head}', 3 in all; pass fill_gaps=True to interpolate them",
    ):
        read(times, head, x)
    filled = read(times, head, x, fill=True)
    assert filled.frame_rate == (50 if head == "time" else None)
    np.testing.assert_allclose(filled.frames[:, 0, 0], COUNT)
    gaps = read_csv(table(times, head, x), JOINTS, allow_missing=True)
    assert np.flatnonzero(np.isnan(gaps[:, 1, 0])).tolist() == [7, 8, 100]


@pytest.mark.parametrize("rate", [10, 25, 60])
@pytest.mark.parametrize("unit", [1, 1000])
def test_uneven_times(rate, unit):
    """A motion of constant speed stays one."""
    text = table(UNEVEN * unit, x=3 * UNEVEN)
    with pytest.raises(
        DataError, match=r"^a\.csv, line \d+: the steps of 'time' are uneven, "
        r"from .* to .*; pass the 'frame_rate' to resample to, such as 2\d\.",
    ):  # fmt: skip
        read_csv(text, JOINTS, "a.csv")
    motion = read_recording(text, "a.csv", SKELETON, frame_rate=rate)
    assert motion.frame_rate == rate
    length = UNEVEN[-1] - UNEVEN[0]
    assert len(motion.frames) == int(length * rate) + 1
    np.testing.assert_allclose(np.diff(motion.frames[:, 0, 0]), 3 / rate)
    missing = read(np.delete(COUNT / 50, 9), "t", frame_rate=rate)
    assert len(missing.frames) == int(599 / 50 * rate) + 1


def test_uneven_rotations():
    times = UNEVEN[:40]
    # Past half a turn, where exponential maps jump from pi to -pi.
    angle = (times + 2.5 + np.pi) % (2 * np.pi) - np.pi
    rows = [f"{t},{a},0,0" for t, a in zip(times, angle, strict=True)]
    text = "\n".join(["t,hip_x,hip_y,hip_z", *rows]).encode()
    found = read_csv(text, ["hip"], frame_rate=20, kind="rotation")
    turned = np.diff(np.unwrap(found[:, 0, 0]))
    np.testing.assert_allclose(turned, 1 / 20, atol=1e-5)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 0.1, 0.1, 0.2], r"line 4: 'time' is not greater than .*; sort t"),
        ([0.3, 0.2, 0.1], r"line 3: 'time' is not greater"),
        (
            ["23:59:59.9", "00:00:00.0"],
            r"line 3: .* where its times start agai",
        ),
        ([0, 1, 2, 1e300], r"line 5: \d+ frames are missing .*; split the"),
        ([0, 0.1, "", 0.3], r"line 4: 'time' is neither a number nor an ISO"),
        ([0, 0.1, 0.2, 1e15], r"line 5: \d+ frames are missing .*; split the"),
    ],
)
@pytest.mark.parametrize("frame_rate", [None, 30])
def test_times_that_cannot_be(times, message, frame_rate):
    with pytest.raises(DataError, match=rf"^a\.csv, {message}"):
        read(times, frame_rate=frame_rate, fill=True)


def test_ticks_or_microseconds():
    message = (
        r"a\.csv, line 2: the steps of 'time', 333333, are 3 frames per second "
        r"in microseconds or 30 in ticks of 100 ns; rename the column to 'time_"
    )
    with pytest.raises(DataError, match=message):
        read(COUNT * 333_333)


@pytest.mark.parametrize("mark", [":", ";"])
def test_timecodes_are_no_times(mark):
    codes = [f"01:02:{t // 30:02}{mark}{t % 30:02}" for t in COUNT[:90]]
    message = (
        rf"a\.csv, line 2: 'time' is a timecode, 01:02:00{mark}00, .* rename "
        rf"the column to 'timecode'"
    )
    with pytest.raises(DataError, match=message):
        read(codes)
    assert read(codes, "timecode").frame_rate is None
    with pytest.raises(DataError, match="line 3: 'time' is neither a number"):
        read(["01:02:00", *codes[1:]])


@pytest.mark.parametrize("time", ["01/02/2024 12:00:00.033", ""])
def test_column_without_times_is_named(time):
    with pytest.warns(UserWarning, match="The column 'time' is ignored, since"):
        read([time] * 3)


def test_times_in_a_smaller_unit_than_named():
    message = r"a\.csv, line 2: 600 frames in .* s would become .*; check the u"
    with pytest.raises(DataError, match=message):
        read(UNEVEN * 1000, "Time (s)", frame_rate=30)


def test_frames_that_came_twice_are_not_lost():
    with pytest.raises(DataError, match=r"line 4: the steps of 'time' are une"):
        read([0, 0.1, 0.102, 0.2, 0.3, 0.4], fill=True)


def test_frames_that_are_no_numbers():
    with pytest.raises(DataError, match=r"'frame' are uneven, .*; rename the"):
        read(UNEVEN, "frame", frame_rate=30)


def test_names_of_joints_and_columns_left_out_are_no_times():
    assert read_csv(b"t,id\n1,5\n0,9\n", ["t"]).tolist() == [[[1]], [[0]]]
    text = b"time,hip_x,knee_x\n9,1,2\n7,3,4\n"
    found = read_csv(text, JOINTS, index_columns=1)
    assert found.tolist() == [[[1], [2]], [[3], [4]]]


def test_numbers_of_columns_beside_a_time():
    text = b"time,0,1\n0,1,2\n0.02,3,4\n0.04,5,6\n"
    assert read_recording(text, "a.csv", SKELETON).frame_rate == 50


def test_lines_are_counted_with_blank_ones():
    text = b"time,hip_x,knee_x\n\n0,1,2\n\n0.02,3,4\n\n0.01,5,6\n"
    with pytest.raises(DataError, match="line 7: 'time' is not greater"):
        read_csv(text, JOINTS)

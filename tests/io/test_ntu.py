import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import read_ntu
from tests.io.ntu_document import document, poses


def test_widest_bodies_are_kept_in_that_order():
    wide, wider, still = poses(4, 1), poses(4, 2, scale=3.0), poses(1)[[0] * 4]
    frames = [
        {"still": s, "wide": w, "wider": r}
        for s, w, r in zip(0.1 * still, wide, wider, strict=True)
    ]
    content = document(frames).encode()
    np.testing.assert_array_equal(read_ntu(content, "x"), [wider, wide])
    np.testing.assert_array_equal(read_ntu(content, "x", max_bodies=1), [wider])
    assert read_ntu(content, "x", max_bodies=9).shape == (3, 4, 25, 3)
    with pytest.raises(ValueError, match=r"'max_bodies' .* at least 1, got 0"):
        read_ntu(content, "x", max_bodies=0)


def test_spread_is_the_sum_of_the_axes():
    """Not of their squares, which would put the other body first."""
    along_one, along_three = np.zeros((2, 4, 25, 3))
    along_one[::2, :, 0] = 2.0  # standard deviation 1
    along_three[::2] = 0.8  # three of 0.4
    frames = [
        {"1": a, "2": b} for a, b in zip(along_one, along_three, strict=True)
    ]
    first, _ = read_ntu(document(frames).encode(), "x")
    np.testing.assert_array_equal(first, along_three)


def test_gaps_are_interpolated_and_ends_held():
    a, b = poses(2)
    frames = [{}, {"7": a}, {}, {}, {"7": b}, {}]
    (motion,) = read_ntu(document(frames).encode(), "x")
    expected = [a, a, (2 * a + b) / 3, (a + 2 * b) / 3, b, b]
    np.testing.assert_allclose(motion, expected, rtol=0, atol=1e-12)


def test_body_that_comes_late():
    """Both bodies have all frames; tracks follow the name, not the place."""
    one, two = poses(3, 1, scale=9.0), poses(2, 2)
    frames = [
        {"1": one[0]},
        {"2": two[0], "1": one[1]},
        {"1": one[2], "2": two[1]},
    ]
    motion = read_ntu(document(frames).encode(), "x")
    np.testing.assert_array_equal(motion, [one, two[[0, 0, 1]]])


def test_bodies_have_names_not_numbers():
    """Names beyond the precision of a number are told apart."""
    a, b = poses(2)
    frames = [{"72057594037931101": a, "72057594037931102": b}]
    assert read_ntu(document(frames).encode(), "x").shape == (2, 1, 25, 3)


@pytest.mark.parametrize("frames", [[], [{}], [{}, {}, {}]])
def test_no_body(frames):
    with pytest.raises(EmptyRecordingError, match="clip shows no body"):
        read_ntu(document(frames).encode(), "clip")


def put(number, text):
    def spoil(lines):
        lines[number - 1] = text

    return spoil


def cut(number):
    def spoil(lines):
        del lines[number:]

    return spoil


# Lines: 1 frames; 2 bodies, 3 body, 4 joints, 5-29 a joint each; 30 bodies, ...
@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (put(1, "two"), "line 1: expected a number of frames, got 'two'"),
        (put(1, "-2"), "line 1: expected a number of frames, got '-2'"),
        (put(1, ""), "line 1: expected a number of frames in 1 fields"),
        (put(1, "3"), "line 58: expected a number of bodies, but the"),
        (put(1, "1"), "line 30: the file continues after its last frame"),
        (put(1, "999999999"), "line 1: 999999999 frames, more than 1000"),
        (put(1, "9" * 9999), "line 1: .*'99999999999999999999'"),
        (put(2, "1000000000"), "line 2: .* bodies, got '1000000000'"),
        (put(2, "999999999"), "line 30: expected a body in 10 fields"),
        (put(2, "0"), "line 3: expected a number of bodies in 1 fields"),
        (put(3, "7 0 1 1"), "line 3: expected a body in 10 fields"),
        (put(4, "24"), "line 4: 24 joints, expected 25"),
        (put(9, "1 2 3"), "line 9: expected a joint in 12 fields"),
        (put(9, "1 2 3" + " 0" * 10), "line 9: expected a joint in 12"),
        (put(9, "1 x 3" + " 0" * 9), "line 9: .* position, got '1 x 3'"),
        (put(9, "1 nan 3" + " 0" * 9), "line 9: .* position, got '1 nan 3'"),
        (put(9, "1 2 1e39" + " 0" * 9), "line 9: .* position, got '1 2 1e39'"),
        (put(9, "1 2 \x00" + " 0" * 9), "line 9: "),
        (cut(0), "line 1: expected a number of frames, but"),
        (cut(40), "line 41: expected a joint, but the file ends"),
    ],
)
def test_faults_name_file_and_line(spoil, fault):
    lines = document([{"7": pose} for pose in poses(2)]).splitlines()
    spoil(lines)
    with pytest.raises(DataError, match=rf"^clip, {fault}"):
        read_ntu("\n".join(lines).encode(), "clip")


def test_body_twice_in_a_frame():
    lines = document([{"1": pose, "2": pose} for pose in poses(1)])
    with pytest.raises(DataError, match=r"line 30: body '1' occurs twice in f"):
        read_ntu(lines.replace("\n2 0 1", "\n1 0 1").encode(), "clip")

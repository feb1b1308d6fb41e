import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import (
    as_frames,
    check_axes,
    fill_gaps,
    find_zeros,
    resample_frames,
)
from symgnn_pyg.io.frames import drop_padding, order_axes

SIZES = {"T": 60, "V": 25, "C": 3, "M": 2}


def ordered(axes, **sizes):
    """An array with its axes in that order, and the one it stands for."""
    sizes = {**SIZES, **sizes}
    own = "MTVC" if "M" in axes else "TVC"
    array = np.random.default_rng(0).normal(size=[sizes[a] for a in own])
    return array.transpose([own.index(a) for a in axes]), array


@pytest.mark.parametrize(
    "axes", ["TVC", "CTV", "VTC", "MTVC", "CTVM", "TMVC", "VMCT", "NCTVM"]
)
def test_any_order_that_is_named(axes):
    check_axes(axes)
    array, expected = ordered(axes.removeprefix("N"))
    np.testing.assert_array_equal(order_axes(array, axes, 25, "x"), expected)


@pytest.mark.parametrize(
    "axes", ["CTV", "TCV", "VTC", "CTVM", "TMVC", "CTMV", "TMCV", "TVCM"]
)
def test_other_orders_are_refused_with_the_cure(axes):
    array, expected = ordered(axes)
    with pytest.raises(DataError, match=rf"^clip has .*axes='{axes}'") as error:
        order_axes(array, None, 25, "clip")
    cure = str(error.value).split("array.transpose(")[1].split(")")[0]
    cured = array.transpose(*map(int, cure.split(", ")))
    np.testing.assert_array_equal(cured, expected)
    np.testing.assert_array_equal(order_axes(array, axes, 25, "x"), expected)


@pytest.mark.parametrize(
    "shape",
    [(60, 25, 3), (2, 60, 25, 3), (1, 60, 25, 2), (60, 25, 12), (5, 60, 25, 2)],
)
def test_what_is_in_order_stays(shape):
    array = np.zeros(shape)
    assert order_axes(array, None, 25, "x") is array


@pytest.mark.parametrize("shape", [(60, 17, 2), (60, 3, 3), (2, 60, 17, 3)])
@pytest.mark.parametrize("num_joints", [4, 25])
def test_joints_of_another_skeleton(shape, num_joints):
    with pytest.raises(DataError, match=rf"C\] with V = {num_joints} joints"):
        order_axes(np.ones(shape), None, num_joints, "clip")


def test_two_bodies_in_the_plane_must_be_named():
    """Or they would be two channels of two bodies."""
    array = np.ones((2, 60, 25, 2))
    with pytest.raises(DataError, match=r"if it is \[M, T, V, C\], pass axes="):
        order_axes(array, None, 25, "x")
    np.testing.assert_array_equal(order_axes(array, "MTVC", 25, "x"), array)


@pytest.mark.parametrize("axes", ["TV", "TVCX", "TVVC", "tvc", "NTVCMM", ""])
def test_axes_that_cannot_be(axes):
    with pytest.raises(ValueError, match=f"'axes' to name .*got '{axes}'"):
        check_axes(axes)


@pytest.mark.parametrize("shape", [(3, 60, 24), (60, 3)])
def test_axes_that_do_not_fit(shape):
    with pytest.raises(DataError, match=r"x has .*\[C, T, V\] with V = 25"):
        order_axes(np.ones(shape), "CTV", 25, "x")


def test_bodies_that_are_zero_are_padding():
    bodies = np.ones((3, 6, 5, 2))
    bodies[1] = 0
    bodies[2, :5] = 0
    np.testing.assert_array_equal(drop_padding(bodies, "x"), bodies[[0, 2]])
    np.testing.assert_array_equal(drop_padding(bodies[0], "x"), bodies[0])


def test_frames_at_the_end_that_are_zero_are_padding():
    frames = np.ones((2, 6, 5, 3))
    frames[:, [0, 2]] = 0
    frames[:, 4:] = 0
    np.testing.assert_array_equal(drop_padding(frames, "x"), frames[:, :4])
    # One body may come to rest at zero.
    np.testing.assert_array_equal(drop_padding(frames[0], "x"), frames[0])


def test_all_at_once():
    array, bodies = ordered("CTVM")
    array = np.ma.masked_array(array, mask=np.zeros(array.shape, bool))
    array[:, 3, 5, 0] = np.ma.masked
    with pytest.raises(DataError, match=r"clip: frame 3 .*fill_gaps=True"):
        as_frames(array, 25, "clip", "CTVM")
    expected = bodies.copy()
    expected[0, 3, 5] = bodies[0, [2, 4], 5].mean(axis=0)
    found = as_frames(array, 25, "clip", "CTVM", fill=True)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("shape", [(6, 5, 3), (2, 6, 5, 3)])
def test_clips_that_are_zero(shape):
    with pytest.raises(EmptyRecordingError, match="clip is zero throughout"):
        drop_padding(np.zeros(shape), "clip")


def test_a_body_that_is_never_seen():
    pair = np.random.default_rng(0).normal(size=(2, 6, 5, 3))
    pair[0] = np.nan
    pair[1, 2] = np.nan
    with pytest.raises(DataError, match=r"clip: frame 0 .*fill_gaps=True"):
        as_frames(pair, 5, "clip")
    found = as_frames(pair, 5, "clip", fill=True)
    np.testing.assert_array_equal(found, fill_gaps(pair[1:], "clip"))
    pair[1] = np.nan
    with pytest.raises(DataError, match="clip: joint 0 is missing in every"):
        as_frames(pair, 5, "clip", fill=True)


@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaps_of_a_line_are_filled_with_it(lead, dtype):
    slope = np.random.default_rng(0).normal(size=(*lead, 1, 5, 3))
    line = (slope * np.arange(9.0)[:, None, None]).astype(dtype)
    holed = line.copy()
    holed[..., 3:6, 2, :] = np.nan
    holed[..., 7, 4, 1] = np.nan
    filled = fill_gaps(holed, "x")
    assert filled.dtype == dtype
    np.testing.assert_allclose(filled, line, rtol=1e-5, atol=1e-6)
    assert np.isnan(holed[..., 3, 2, 0]).all()


def test_ends_are_held():
    frames = np.arange(5.0)[:, None, None].copy()
    frames[[0, 4]] = np.nan
    assert fill_gaps(frames, "x").ravel().tolist() == [1, 1, 2, 3, 3]
    whole = np.ones((4, 2, 3))
    assert fill_gaps(whole, "x") is whole


def test_joint_that_was_never_seen():
    frames = np.ones((4, 3, 2))
    frames[:, 1, 0] = np.nan
    with pytest.raises(DataError, match="clip: joint 1 is missing in every"):
        fill_gaps(frames, "clip")


def test_infinite_numbers_are_no_gaps():
    frames = np.ones((4, 5, 3))
    frames[2, 1] = np.inf
    with pytest.raises(DataError, match=r"frame 2 .* is not finite$"):
        as_frames(frames, 5, "clip", fill=True)


def test_uneven_frames():
    times = np.array([7.0, 7.1, 7.5, 8.0])
    frames = (2 * times).reshape(-1, 1, 1)
    found = resample_frames(frames, times, 4)
    np.testing.assert_allclose(found.ravel(), [14, 14.5, 15, 15.5, 16])
    bodies = resample_frames(np.stack([frames, -frames]), times, 4)
    np.testing.assert_array_equal(bodies, [found, -found])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rotations_are_resampled_past_half_a_turn(dtype):
    angle = np.arange(2.5, 4.0, 0.25)
    # Exponential maps of at most half a turn jump from about pi to -pi.
    whole = (angle + np.pi) % (2 * np.pi) - np.pi
    axis = np.array([0.6, 0.0, 0.8])
    frames = (whole[:, None, None] * axis).astype(dtype)  # [6, 1, 3]
    slow = resample_frames(frames[::2], 30, 60, "rotation")
    assert slow.dtype == dtype
    np.testing.assert_allclose(slow, frames[:5], atol=1e-5)
    for stack in (frames, np.stack([frames, -frames])):
        fast = resample_frames(stack, 60, 120, "rotation")
        np.testing.assert_allclose(fast[..., ::2, :, :], stack, atol=1e-5)


def test_missing_rotations_stay_missing():
    frames = np.zeros((4, 2, 3))
    frames[2, 1] = np.nan
    found = np.isnan(resample_frames(frames, 30, 60, "rotation"))
    np.testing.assert_array_equal(
        found[:, 1, 0], [False, False, False, True, True, True, False]
    )
    assert not found[:, 0].any()


@pytest.mark.parametrize("frame_time", ["0.0333333", "0.033333", "0.03333334"])
def test_the_last_frame_of_a_rounded_rate_stays(frame_time):
    frames = np.arange(207.0).reshape(-1, 1, 1)
    found = resample_frames(frames, 1 / float(frame_time), 15)
    assert len(found) == 104
    np.testing.assert_allclose(found[:, 0, 0], np.arange(0, 207, 2), atol=0.02)


def walk(dtype=np.float64, origin=500.0):
    """A walk from the origin, of joints that keep their distance."""
    steps = np.random.default_rng(0).normal(size=(30, 1, 3)).cumsum(axis=0)
    joints = np.arange(3)[:, None] * [10.0, 0.0, 0.0]
    return (origin + steps - steps[0] + joints).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16])
def test_zeros_that_are_no_motion(dtype):
    frames = walk(dtype)
    assert find_zeros(frames, "abc") == ""
    frames[[3, 9, 10], 1] = frames[0, 2] = 0
    gaps = (
        "joint 'b' is zero in 3 of {} frames (one of 2 such joints): where "
        "a joint was not seen, write NaN, and pass fill_gaps=True"
    )
    assert find_zeros(frames, "abc") == gaps.format(30)
    padding = np.zeros((5, 3, 3), dtype)
    random = np.random.default_rng(0).uniform(0, 9, (30, 3, 3)).astype(dtype)
    cut = "the last 5 of 35 frames are zero: cut them if they are padding"
    padded = np.concatenate([frames, padding])
    assert find_zeros(padded, "abc") == f"{cut}; {gaps.format(35)}"
    assert find_zeros(np.concatenate([walk(dtype), padding]), "abc") == cut
    assert find_zeros(np.concatenate([random, padding]), "abc") == cut
    # The second body is absent at first, and the first one at last.
    pair = np.stack([padded, np.concatenate([padding, walk(dtype)])])
    assert find_zeros(pair, "abc") == gaps.format(35)


def test_zeros_of_a_centred_body():
    """It starts at the origin, and one joint never leaves it."""
    frames = walk(origin=0.0)
    frames[:3] = frames[0]
    assert not frames[:3, 0].any()
    assert find_zeros(frames, "abc") == ""
    assert find_zeros(frames - frames[:, 1:2], "abc") == ""
    slowing = frames[:1] + 4 - 4 * 0.5 ** np.arange(9)[:, None, None]
    assert not slowing[0, 0].any()
    assert find_zeros(slowing, "abc") == find_zeros(slowing[:0], "abc") == ""

import itertools
import re

import numpy as np
import pytest
import torch

from symgnn_pyg.io import read_bvh, read_bvh_rotations, write_bvh
from symgnn_pyg.skeleton import forward_kinematics
from tests.io.test_bvh import ROOT, arm, motion

ORDERS = [
    "".join(axes)
    for axes in itertools.product("XYZ", repeat=3)
    if axes[0] != axes[1] != axes[2]
]


def channels(axes):
    return " ".join([str(len(axes)), *(f"{axis}rotation" for axis in axes)])


def turns(order, count, random):
    """Principal angles, which a file determines uniquely."""
    angles = random.uniform(-179, 179, (count, len(order)))
    if len(order) == 3:
        angles[:, 1] /= 2
        if order[0] == order[2]:
            angles[:, 1] = abs(angles[:, 1]) * 2
    return angles


def document(order, rows, **arguments):
    text = "\n".join(" ".join(f"{n:.6f}" for n in row) for row in rows)
    empty = motion(*[[]] * len(rows), **arguments).rstrip("\n")
    return f"{arm(channels(order))}{empty}\n{text}\n"


@pytest.mark.parametrize("order", [*ORDERS, "X", "ZX", "YZ", ""])
def test_reading_and_writing_gives_the_same_file(order, tmp_path):
    random = np.random.default_rng(0)
    rows = np.hstack(
        [
            random.normal(size=(20, 3)),
            turns("ZXY", 20, random),
            turns(order, 20, random),
        ]
    )
    path = tmp_path / "a.bvh"
    path.write_text(document(order, rows, time=0.0333333))
    recording, translation = read_bvh_rotations(path)
    write_bvh(tmp_path / "b.bvh", recording.frames, path, translation)
    assert (tmp_path / "b.bvh").read_text() == path.read_text()


def test_positions_are_kept_where_angles_are_not(tmp_path):
    """Any angle, gimbal lock included, and joints that move."""
    random = np.random.default_rng(0)
    rows = random.uniform(-720, 720, (20, 12))
    rows[:5, [4, 10]] = 90
    rows[5:9, [4, 10]] = -90
    path = tmp_path / "a.bvh"
    path.write_text(arm(f"6 {ROOT}") + motion(*rows))
    recording, translation = read_bvh_rotations(path)
    write_bvh(tmp_path / "b.bvh", recording.frames, path, translation)
    one, other = read_bvh(path).frames, read_bvh(tmp_path / "b.bvh").frames
    np.testing.assert_allclose(one, other, atol=2e-5)


def test_rotations_are_those_of_forward_kinematics(tmp_path):
    rotation = torch.randn(5, 3, 3, generator=torch.manual_seed(0))
    rotation[:, 2] = 0
    write_bvh(tmp_path / "b.bvh", rotation, (arm() + motion([0] * 9)).encode())
    positions, skeleton, *_ = read_bvh(tmp_path / "b.bvh")
    expected = forward_kinematics(rotation, skeleton)
    np.testing.assert_allclose(positions, expected, atol=1e-5)


def test_number_and_rate_of_frames(tmp_path):
    like = (arm() + motion([0] * 9)).replace("Frames: 1", "frames :\t1")
    path = tmp_path / "b.bvh"
    write_bvh(path, np.zeros((3, 3, 3)), like.encode(), frame_rate=25.001)
    head = like[: like.index("\t1\n")]
    assert path.read_text().startswith(f"{head}\t3\nFrame Time: 0.04\n7.0")
    write_bvh(path, np.zeros((3, 3, 3)), like.encode(), frame_rate=30)
    assert read_bvh(path).frame_rate == 30
    assert read_bvh(path).frames.shape == (3, 3, 3)


def test_turns_that_the_file_cannot_hold(tmp_path):
    like = (arm("1 Zrotation") + motion([0] * 7)).encode()
    rotation = np.zeros((4, 3, 3))
    rotation[:, 1] = [0.1, 0, 0.5]
    with pytest.warns(UserWarning, match=r"'elbow' turns by up to 5\.\d+ deg"):
        write_bvh(tmp_path / "b.bvh", rotation, like)
    back = read_bvh_rotations(tmp_path / "b.bvh")[0].frames
    np.testing.assert_allclose(back[:, 1, :2], 0, atol=1e-9)
    assert (abs(back[:, 1, 2] - 0.5) < 0.02).all()


def test_positions_are_refused(tmp_path):
    like = (arm() + motion([0] * 9)).encode()
    positions = read_bvh(like).frames
    with pytest.raises(ValueError, match=r"Positions do not .* with read_bvh_"):
        write_bvh(tmp_path / "b.bvh", positions, like)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("shape", "translation", "fault"),
    [
        ((2, 3), None, "shape [T, 3, 3], for the joints of"),
        ((2, 4, 3), None, "got [2, 4, 3]"),
        ((0, 3, 3), None, "at least one frame, got [0, 3, 3]"),
        ((2, 3, 3), np.zeros((3, 3, 3)), "[2, 3, 3] or [3, 3], got [3, 3, 3]"),
        ((2, 3, 3), np.full((3, 3), np.nan), "finite rotations and transl"),
    ],
)
def test_bad_arrays(tmp_path, shape, translation, fault):
    like = (arm() + motion([0] * 9)).encode()
    with pytest.raises(ValueError, match=re.escape(fault)):
        write_bvh(tmp_path / "b.bvh", np.zeros(shape), like, translation)


@pytest.mark.parametrize("frame_rate", [0.0, -30.0, np.nan, np.inf])
def test_bad_frame_rates(tmp_path, frame_rate):
    like = (arm() + motion([0] * 9)).encode()
    with pytest.raises(ValueError, match="'frame_rate' must be positive"):
        write_bvh(
            tmp_path / "b.bvh",
            np.zeros((1, 3, 3)),
            like,
            frame_rate=frame_rate,
        )


def test_channels_that_are_no_angles(tmp_path):
    like = (arm("2 Xrotation Xrotation") + motion([0] * 8)).encode()
    with pytest.raises(ValueError, match="XX of 'elbow' are not Euler"):
        write_bvh(tmp_path / "b.bvh", np.zeros((1, 3, 3)), like)

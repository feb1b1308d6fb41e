import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.visualization.arrays import (
    bone_path,
    bounds,
    to_array,
    to_bodies,
    to_labels,
    to_motions,
    to_positions,
)

COCO = Skeleton.get("coco17")
NUMBERS = [[1.5, -2.0], [0.25, 4.0]]


@pytest.mark.parametrize(
    "value",
    [
        NUMBERS,
        np.array(NUMBERS, np.float16),
        torch.tensor(NUMBERS),
        torch.tensor(NUMBERS, requires_grad=True),
        torch.tensor(NUMBERS, requires_grad=True).bfloat16(),
        torch.tensor(NUMBERS).to_sparse(),
        torch.tensor(NUMBERS).t().contiguous().t(),
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(
                not torch.cuda.is_available(), reason="No GPU here"
            ),
        ),
    ],
    ids=lambda value: getattr(value, "type", lambda: type(value).__name__)(),
)
def test_to_array(value):
    if isinstance(value, str):
        value = torch.tensor(NUMBERS, device=value, requires_grad=True)
    array = to_array(value, "x")
    assert array.dtype == np.float64
    assert array.tolist() == NUMBERS


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["a"], "'x' must hold real numbers"),
        (torch.zeros(2, dtype=torch.complex64), "'x' must hold real numbers"),
        ([[1.0], [1.0, 2.0]], "Expected 'x' to be an array of numbers"),
        (
            [torch.ones(1, requires_grad=True)],
            "Expected 'x' to be an array of numbers",
        ),
        (None, "'x' must hold real numbers"),
    ],
)
def test_no_numbers(value, message):
    with pytest.raises(ValueError, match=message):
        to_array(value, "x")


def test_to_labels():
    labels = to_labels(torch.tensor([2, 0]), "y", 3)
    assert labels.dtype == np.int64
    assert labels.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0, 3], "from 0 to 2 for 3 classes, got 3 at index 1"),
        ([-1], "got -1 at index 0"),
        ([0.5], "got 0.5 at index 0"),
        ([[0]], r"'y' of shape \[N\], got \[1, 1\]"),
    ],
)
def test_wrong_labels(value, message):
    with pytest.raises(ValueError, match=message):
        to_labels(value, "y", 3)


@pytest.mark.parametrize(
    ("up", "expected"),
    [("y", [1, 2, 3]), ("-y", [1, -2, -3]), ("z", [1, 3, -2])],
)
def test_up_is_a_rotation(up, expected, arm):
    position = torch.tensor([[1.0, 2.0, 3.0], [0, 0, 1], [0, 1, 0]])
    turned = to_positions(position, "p", arm, up)
    assert turned[0].tolist() == expected
    axes = to_positions(torch.eye(3), "p", arm, up)
    assert np.linalg.det(axes) == 1.0


def test_up_in_the_plane(arm):
    position = [[1.0, 2.0]] * 3
    assert to_positions(position, "p", arm, "-y")[0].tolist() == [1.0, -2.0]
    with pytest.raises(ValueError, match="up='z' needs 3-D positions, got 'p'"):
        to_positions(position, "p", arm, "z")
    with pytest.raises(ValueError, match=r"'up' must be one of .* got 'x'"):
        to_positions(position, "p", arm, "x")


@pytest.mark.parametrize(
    ("shape", "num_frames", "expected"),
    [
        ((2, 3), None, r"\[3, 2 or 3\] for .*'arm'.* got \[2, 3\]"),
        ((3, 4), None, r"\[3, 2 or 3\]"),
        ((3, 3), 0, r"\[T, 3, 2 or 3\]"),
        ((0, 3, 3), 0, r"\[T, 3, 2 or 3\]"),
        ((4, 3, 3), 5, r"\[5, 3, 2 or 3\]"),
    ],
)
def test_wrong_positions(shape, num_frames, expected, arm):
    with pytest.raises(ValueError, match=f"'p' of shape {expected}"):
        to_positions(torch.zeros(shape), "p", arm, "y", num_frames)


def test_unseen_joints_stay_unseen(arm):
    position = torch.full((3, 2), torch.nan)
    with pytest.raises(ValueError, match="'p' to hold at least one position"):
        to_positions(position, "p", arm)
    position[1] = 1.0
    assert np.isnan(to_positions(position, "p", arm)).sum() == 4
    position[1, 0] = torch.inf
    with pytest.raises(ValueError, match="'p' must not hold infinite values"):
        to_positions(position, "p", arm)


def test_motions_of_one_kind(arm):
    plane, space = torch.zeros(1, 3, 2), torch.zeros(4, 3, 3)
    motions = to_motions({"a": space, "b": space[:2]}, arm)
    assert [len(motion) for motion in motions.values()] == [4, 2]
    with pytest.raises(ValueError, match="2 in 'a', 3 in 'b'"):
        to_motions({"a": plane, "b": space}, arm)
    with pytest.raises(ValueError, match="at least one motion"):
        to_motions({}, arm)


def test_bounds():
    motion = np.array([[[0.0, 5.0], [np.nan, np.nan]], [[2.0, -1.0]] * 2])
    low, high = bounds({"a": motion, "b": motion + 1})
    assert low.tolist() == [0.0, -1.0]
    assert high.tolist() == [3.0, 6.0]


def test_bone_path():
    pose = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    expected = [[2, 3], [0, 1], [np.nan] * 2, [4, 5], [2, 3], [np.nan] * 2]
    np.testing.assert_array_equal(bone_path(pose, [(1, 0), (2, 1)]), expected)
    assert bone_path(pose, []).shape == (0, 2)


@pytest.mark.parametrize("up", ["y", "-y", "z"])
def test_bodies_are_converted_like_one(up, arm):
    motion = torch.randn(4, 2, 3, 3)
    bodies = to_bodies(motion, "p", arm, up, 0)
    assert bodies.shape == (4, 2, 3, 3)
    for body in range(2):
        alone = to_bodies(motion[:, body], "p", arm, up, 0)
        np.testing.assert_array_equal(alone, bodies[:, body : body + 1])
    pose = to_bodies(motion[0], "p", arm, up)
    np.testing.assert_array_equal(pose, bodies[0])
    np.testing.assert_array_equal(
        to_bodies(motion[0, 0], "p", arm, up), pose[:1]
    )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 2, 5, 3), r"\[T, 3, 2 or 3\] or \[T, M, 3, 2 or 3\] for .*'arm'"),
        ((4, 0, 3, 3), r"\[T, M, 3, 2 or 3\] .* got \[4, 0, 3, 3\]"),
        ((2, 7, 3, 3), r"\[T, M, V, C\] must hold at most 6 bodies .*\[2, 7,"),
    ],
)
def test_wrong_bodies(shape, message, arm):
    with pytest.raises(ValueError, match=message):
        to_bodies(torch.zeros(shape), "p", arm, "y", 0)


@pytest.mark.parametrize("shape", [(5, 3, 2), (5, 3, 3), (5, 2, 3, 3)])
@pytest.mark.parametrize("up", ["y", "-y"])
def test_centre_stays_put(shape, up, arm):
    """The joint is at the origin, and nothing else changes: all distances
    within a frame, also those between bodies, are those of the motion."""
    motion = torch.randn(shape, dtype=torch.float64)
    given = to_motions({"a": motion}, arm, up)["a"]
    for centre, joint in ((True, 0), ("elbow", 1), (1, 1), (0, 0), ("hand", 2)):
        centred = to_motions({"a": motion}, arm, up, centre=centre)["a"]
        np.testing.assert_array_equal(centred[:, 0, joint], 0.0)
        moved = given - centred
        expected = np.broadcast_to(moved[:, :1, :1], moved.shape)
        np.testing.assert_allclose(moved, expected, atol=1e-14)
    np.testing.assert_array_equal(
        to_motions({"a": motion}, arm, up, centre=False)["a"], given
    )


def test_wrong_centre(arm):
    motion = torch.zeros(4, 3, 2)
    for centre in ("knee", 3):
        with pytest.raises(ValueError, match=f"joint.*{centre}"):
            to_motions({"a": motion}, arm, centre=centre)
    motion[2, 1] = torch.nan
    to_motions({"a": motion}, arm, centre="hand")
    with pytest.raises(
        ValueError, match=r"'elbow' in .*'a', got NaN in frame 2"
    ):
        to_motions({"a": motion}, arm, centre="elbow")


def test_scores_are_no_coordinates():
    frames = np.random.default_rng(0).uniform(size=(4, 17, 3)) * [640, 480, 1]
    frames[2, 5] = np.nan
    later = frames + np.array(
        [0, 0, 0.3]
    )  # A network may predict scores above 1.
    with pytest.warns(UserWarning, match="pass num_coordinates=3") as warned:
        motions = to_motions({"observed": frames, "predicted": later}, COCO)
    assert len(warned) == 1
    for motion in motions.values():
        np.testing.assert_array_equal(motion[:, 0], frames[..., :2])
    kept = to_bodies(frames, "x", COCO, "y", 0, num_coordinates=3)
    np.testing.assert_array_equal(kept[:, 0], frames)
    with pytest.raises(ValueError, match="'num_coordinates' must be at least"):
        to_bodies(frames, "x", COCO, "y", 0, num_coordinates=-1)
    deep = frames - [0, 0, 0.5]  # A depth may be negative.
    for motion in to_motions({"a": deep, "b": frames}, COCO).values():
        assert motion.shape[-1] == 3
    frames[..., 2] -= 0.5
    assert to_bodies(frames, "x", COCO, "y", 0).shape[-1] == 3

import math

import numpy as np
import pytest
import roma
import torch

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.joint_tree import (
    MOST_JOINTS,
    check_motion_size,
    joint_positions,
    read_numbers,
    tree_skeleton,
)
from symgnn_pyg.skeleton import forward_kinematics

CHAIN = [-1, 0, 1]
OFFSETS = [[0.5, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]
REST = torch.tensor(OFFSETS, dtype=torch.double)


def test_positions_are_those_of_forward_kinematics():
    torch.manual_seed(0)
    vector = torch.randn(4, 3, 3, dtype=torch.double)
    skeleton = tree_skeleton("abc", CHAIN, OFFSETS, "arm", "a.bvh")
    turns = roma.rotvec_to_rotmat(vector).unbind(1)
    np.testing.assert_allclose(
        joint_positions(CHAIN, REST, turns, 4, "a.bvh"),
        forward_kinematics(vector, skeleton),
        rtol=1e-9,
        atol=1e-12,
    )


def test_joints_that_never_move_have_all_frames():
    position = joint_positions(CHAIN, REST, [None] * 3, 4, "a.bvh")
    np.testing.assert_array_equal(position, [np.cumsum(OFFSETS, axis=0)] * 4)


def test_positions_that_are_too_large():
    with pytest.raises(DataError, match=r"a\.bvh.*finite"):
        joint_positions(CHAIN, REST * 1e308, [None] * 3, 1, "a.bvh")


def test_skeleton():
    skeleton = tree_skeleton("abc", [-1, 0, 0], OFFSETS, "arm", "a.bvh")
    assert (skeleton.joints, skeleton.name) == (("a", "b", "c"), "arm")
    assert skeleton.bones == ((1, 0), (2, 0))
    np.testing.assert_array_equal(skeleton.offsets, OFFSETS)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"joints": "aba"}, "The joint 'a' is given twice"),
        ({"parents": [-1, -1, 0]}, "No bones or links connect 'b'"),
        (
            {"offsets": [[math.inf] * 3] * 3},
            "The offset of joint 'a' must be finite",
        ),
        (
            {"joints": range(MOST_JOINTS + 1)},
            f"{MOST_JOINTS + 1} joints are more than the {MOST_JOINTS}",
        ),
    ],
)
def test_no_skeleton(change, fault):
    tree = {"joints": "abc", "parents": CHAIN, "offsets": OFFSETS, **change}
    with pytest.raises(DataError, match=rf"^a\.bvh: {fault}"):
        tree_skeleton(**tree, name="arm", where="a.bvh")


def test_motion_that_no_file_of_its_size_holds():
    check_motion_size(10, 3, 30, "a.bvh")
    with pytest.raises(DataError, match=r"a\.bvh: 11 frames of 3 joints are m"):
        check_motion_size(11, 3, 32, "a.bvh")


def test_numbers():
    assert read_numbers(["1", "-2.5e1"], 2, "a.bvh, line 3") == [1.0, -25.0]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["1"], "1 numbers, expected 2"),
        (["1", "x"], "'x' is no finite number"),
        (["nan", "1"], "'nan' is no finite number"),
        (["1", "1e999"], "'1e999' is no finite number"),
    ],
)
def test_no_numbers(words, fault):
    with pytest.raises(DataError, match=f"^a.bvh, line 3: {fault}"):
        read_numbers(words, 2, "a.bvh, line 3")

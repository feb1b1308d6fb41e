import math

import numpy as np
import pytest
import roma
import torch

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.joint_tree import (
    MOST_JOINTS,
    TreeJoint,
    check_motion_size,
    joint_positions,
    tree_skeleton,
)
from symgnn_pyg.skeleton import forward_kinematics

CHAIN = (
    TreeJoint("a", -1, (0.5, 0.0, 0.0)),
    TreeJoint("b", 0, (0.0, 1.0, 0.0)),
    TreeJoint("c", 1, (0.0, 0.0, 2.0)),
)


@pytest.mark.parametrize("order", ["intrinsic", "extrinsic"])
def test_positions_are_those_of_forward_kinematics(order):
    angles = np.random.default_rng(0).normal(size=(4, 3, 3))
    joints = [joint._replace(channels=("rz", "rx", "ry")) for joint in CHAIN]
    axes = "ZXY" if order == "intrinsic" else "zxy"
    rotation = roma.euler_to_rotvec(axes, torch.from_numpy(angles))
    np.testing.assert_allclose(
        joint_positions(joints, angles.reshape(4, 9), order, False, "a.bvh"),
        forward_kinematics(rotation, tree_skeleton(CHAIN, "arm", "a.bvh")),
        rtol=1e-9,
        atol=1e-12,
    )


def test_joints_that_never_move_have_all_frames():
    table = np.zeros((4, 0))
    position = joint_positions(CHAIN, table, "intrinsic", True, "a.bvh")
    offsets = [joint.offset for joint in CHAIN]
    np.testing.assert_array_equal(position, [np.cumsum(offsets, axis=0)] * 4)


@pytest.mark.parametrize(
    ("joints", "fault"),
    [
        ([*CHAIN, CHAIN[0]], "The joint 'a' is given twice"),
        (
            [CHAIN[0], CHAIN[1]._replace(parent=-1)],
            "No bones or links connect 'b'",
        ),
        (
            [CHAIN[0]._replace(offset=(math.inf, 0, 0))],
            "The offset of joint 'a'",
        ),
        (CHAIN * MOST_JOINTS, f"1500 joints, expected at most {MOST_JOINTS}"),
    ],
)
def test_no_skeleton(joints, fault):
    with pytest.raises(DataError, match=rf"^a\.bvh: {fault}"):
        tree_skeleton(joints, "arm", "a.bvh")


def test_motion_that_no_file_of_its_size_holds():
    check_motion_size(10, 3, 30, "a.bvh")
    with pytest.raises(DataError, match=r"a\.bvh: 11 frames of 3 joints do n"):
        check_motion_size(11, 3, 32, "a.bvh")

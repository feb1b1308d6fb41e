from symgnn_pyg.skeleton.as_skeleton import as_skeleton
from symgnn_pyg.skeleton.kinematics import cmu_positions, forward_kinematics
from symgnn_pyg.skeleton.rotations import (
    convert_rotation,
    euler_to_rotmat,
    rotmat_to_euler,
)
from symgnn_pyg.skeleton.sides import mirrored_joints
from symgnn_pyg.skeleton.skeleton import Skeleton

__all__ = [
    "Skeleton",
    "as_skeleton",
    "cmu_positions",
    "convert_rotation",
    "euler_to_rotmat",
    "forward_kinematics",
    "mirrored_joints",
    "rotmat_to_euler",
]

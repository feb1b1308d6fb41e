from symgnn_pyg.skeleton.as_skeleton import as_skeleton
from symgnn_pyg.skeleton.conversion import Conversion, conversion
from symgnn_pyg.skeleton.kinematics import (
    cmu_positions,
    forward_kinematics,
    joint_positions,
    place_joints,
)
from symgnn_pyg.skeleton.paths import paths_to_roots
from symgnn_pyg.skeleton.rotations import (
    convert_rotation,
    euler_to_rotmat,
    rotmat_to_euler,
)
from symgnn_pyg.skeleton.scores import count_coordinates
from symgnn_pyg.skeleton.sides import body_sides, mirrored_joints
from symgnn_pyg.skeleton.skeleton import Skeleton

__all__ = [
    "Conversion",
    "Skeleton",
    "as_skeleton",
    "body_sides",
    "cmu_positions",
    "conversion",
    "convert_rotation",
    "count_coordinates",
    "euler_to_rotmat",
    "forward_kinematics",
    "joint_positions",
    "mirrored_joints",
    "paths_to_roots",
    "place_joints",
    "rotmat_to_euler",
]

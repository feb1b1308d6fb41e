from symgnn_pyg.skeleton.kinematics import forward_kinematics
from symgnn_pyg.skeleton.sides import mirrored_joints
from symgnn_pyg.skeleton.skeleton import Skeleton

__all__ = ["Skeleton", "forward_kinematics", "mirrored_joints"]

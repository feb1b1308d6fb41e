from symgnn_pyg.transforms.cmu_positions import cmu_positions
from symgnn_pyg.transforms.forward_kinematics import forward_kinematics
from symgnn_pyg.transforms.standardize import Standardize

__all__ = ["Standardize", "cmu_positions", "forward_kinematics"]

from symgnn_pyg.datasets.cmu_mocap import CMUMocap
from symgnn_pyg.datasets.motion_dataset import MotionDataset, Window
from symgnn_pyg.datasets.synthetic_motion import SyntheticMotion

__all__ = ["CMUMocap", "MotionDataset", "SyntheticMotion", "Window"]

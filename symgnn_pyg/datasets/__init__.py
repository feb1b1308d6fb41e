from symgnn_pyg.datasets.cmu_mocap import CMUMocap
from symgnn_pyg.datasets.motion_dataset import (
    MotionDataset,
    Window,
    all_windows,
    clip_windows,
)
from symgnn_pyg.datasets.prepare import EmptyRecording, Recording, prepare
from symgnn_pyg.datasets.source import Source
from symgnn_pyg.datasets.synthetic_motion import SyntheticMotion

__all__ = [
    "CMUMocap",
    "EmptyRecording",
    "MotionDataset",
    "Recording",
    "Source",
    "SyntheticMotion",
    "Window",
    "all_windows",
    "clip_windows",
    "prepare",
]

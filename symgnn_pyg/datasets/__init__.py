from symgnn_pyg.datasets.cmu_mocap import CMUMocap
from symgnn_pyg.datasets.human36m import Human36M
from symgnn_pyg.datasets.kinetics_skeleton import KineticsSkeleton
from symgnn_pyg.datasets.motion_dataset import MotionDataset
from symgnn_pyg.datasets.ntu_rgbd import NTURGBD
from symgnn_pyg.datasets.skeleton_arrays import SkeletonArrays
from symgnn_pyg.datasets.skeleton_folder import SkeletonFolder
from symgnn_pyg.datasets.synthetic_motion import SyntheticMotion
from symgnn_pyg.datasets.windows import Window, all_windows, clip_windows
from symgnn_pyg.deprecated import accept_old_names, moved

__all__ = [
    "NTURGBD",
    "CMUMocap",
    "Human36M",
    "KineticsSkeleton",
    "MotionDataset",
    "SkeletonArrays",
    "SkeletonFolder",
    "SyntheticMotion",
    "Window",
    "all_windows",
    "clip_windows",
]

accept_old_names(globals())
__getattr__ = moved(__name__)

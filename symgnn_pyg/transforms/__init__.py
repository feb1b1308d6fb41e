from symgnn_pyg.deprecated import moved
from symgnn_pyg.transforms.center import Center
from symgnn_pyg.transforms.change_speed import ChangeSpeed
from symgnn_pyg.transforms.difference import Difference
from symgnn_pyg.transforms.joint_dropout import JointDropout
from symgnn_pyg.transforms.mirror import Mirror
from symgnn_pyg.transforms.motion_transform import MotionTransform
from symgnn_pyg.transforms.normalize_view import NormalizeView
from symgnn_pyg.transforms.observe import Observe
from symgnn_pyg.transforms.part_dropout import PartDropout
from symgnn_pyg.transforms.random_jitter import RandomJitter
from symgnn_pyg.transforms.random_rotation import RandomRotation
from symgnn_pyg.transforms.random_scale import RandomScale
from symgnn_pyg.transforms.random_shear import RandomShear
from symgnn_pyg.transforms.resample import Resample
from symgnn_pyg.transforms.reverse import Reverse
from symgnn_pyg.transforms.standardize import Standardize
from symgnn_pyg.transforms.steps_of import steps_of
from symgnn_pyg.transforms.temporal_crop import TemporalCrop
from symgnn_pyg.transforms.temporal_transform import TemporalTransform
from symgnn_pyg.transforms.to_bones import ToBones
from symgnn_pyg.transforms.uniform_sample import UniformSample

__all__ = [
    "Center",
    "ChangeSpeed",
    "Difference",
    "JointDropout",
    "Mirror",
    "MotionTransform",
    "NormalizeView",
    "Observe",
    "PartDropout",
    "RandomJitter",
    "RandomRotation",
    "RandomScale",
    "RandomShear",
    "Resample",
    "Reverse",
    "Standardize",
    "TemporalCrop",
    "TemporalTransform",
    "ToBones",
    "UniformSample",
    "steps_of",
]

__getattr__ = moved(__name__)

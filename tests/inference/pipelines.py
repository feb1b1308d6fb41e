"""Networks with the preprocessing that they were trained with."""

import numpy as np
import torch
from torch_geometric.transforms import Compose

from symgnn_pyg.inference import PoseModel, PoseOutput
from symgnn_pyg.nn import DualSymGNN
from symgnn_pyg.transforms import (
    Center,
    Difference,
    NormalizeView,
    Resample,
    Standardize,
    ToBones,
)

V, T, K, STEPS = 5, 6, 4, 2
CLASSES = ["bow", "clap", "jump", "wave"]
MEAN = torch.linspace(-1, 1, V * 3).view(V, 3)
STANDARDIZE = Standardize(MEAN, 0.5 + MEAN.abs())
VIEW = NormalizeView(spine=("chest", 2), shoulders=(3, "hand"))
# Preprocessing as networks are trained with, nested as users nest it.
PIPELINES = {
    "none": None,
    "standardize": STANDARDIZE,
    "compose of one": Compose([STANDARDIZE]),
    "center": Center("elbow"),
    "center on the first frame": Center("elbow", per_frame=False),
    "velocities": Compose([STANDARDIZE, Difference()]),
    "accelerations": Difference(2),
    "view": Compose([Center(0, per_frame=False), VIEW]),
    "slower": Compose([Resample(50, 25), STANDARDIZE]),
    "faster": Compose([STANDARDIZE, Resample(20, 25)]),
    "bones": Compose([Center(), ToBones()]),
    "nested": Compose(
        [
            Compose([Center(1, per_frame=False), Compose([VIEW])]),
            Resample(3, 2),
            Compose([STANDARDIZE, Difference(1), ToBones()]),
        ]
    ),
}


def model_of(build, arm, name, dual=False, **kwargs):
    transform = PIPELINES[name]
    bones = name in ("bones", "nested")
    skeleton = arm.dual() if bones else arm
    network = build(skeleton, **kwargs)
    if dual:
        network = DualSymGNN(network, build(skeleton.dual(), **kwargs)).eval()
    return PoseModel(network, transform, classes=CLASSES, skeleton=arm)


def walk(frames, *lead):
    """Random walks, of shape [*, T, V, C]."""
    return torch.randn(*lead, frames, V, 3).cumsum(dim=-3)


def stacked(answer):
    columns = map(torch.as_tensor, answer.probabilities.values())
    return torch.stack([*columns], dim=-1)


def same(one, other, **kwargs):
    assert isinstance(one, PoseOutput)
    assert one.action == other.action
    torch.testing.assert_close(
        native(one.future), native(other.future), **kwargs
    )
    torch.testing.assert_close(stacked(one), stacked(other), **kwargs)


def native(array):
    if isinstance(array, np.ndarray):
        array = array.astype(array.dtype.newbyteorder("="))
    return torch.as_tensor(array)

import math

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("random_motion_jitter")
class RandomJitter(MotionTransform):
    r"""Adds Gaussian noise to the observed frames (functional name:
    :obj:`random_motion_jitter`):

    .. math::
        \mathbf{x}' = \mathbf{x} + \boldsymbol{\varepsilon}, \qquad
        \boldsymbol{\varepsilon} \sim \mathcal{N}(0, \sigma^2)

    drawn for each channel of each joint and frame. Future frames do not
    change, so that the target is free of noise.

    Args:
        std: The standard deviation :math:`\sigma`, in the unit of the data.

    Raises:
        ValueError: If :obj:`std` is negative.
    """

    def __init__(self, std: float) -> None:
        if not 0 <= std < math.inf:
            raise ValueError(f"'std' must not be negative, got {std}")
        self.std = std

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        return motion + self.std * torch.randn_like(motion)

    def forward(self, data: Data) -> Data:
        future = data.future if "future" in data else None
        data = super().forward(data)
        if future is not None:
            data.future = future
        return data

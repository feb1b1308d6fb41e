import math
from numbers import Real

import roma
import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import draw_uniform
from symgnn_pyg.transforms.checks import check_space
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("random_rotation")
class RandomRotation(MotionTransform):
    r"""Rotates a sample about the origin by random angles (functional name:
    :obj:`random_rotation`):

    .. math::
        \mathbf{x}' = \mathbf{R}_z(\gamma) \, \mathbf{R}_y(\beta) \,
        \mathbf{R}_x(\alpha) \, \mathbf{x}

    where :math:`\alpha`, :math:`\beta` and :math:`\gamma` are drawn uniformly
    once per sample. For image coordinates with a score, :math:`(x, y, s)`, use
    :obj:`degrees=(0, 0, 15)` to rotate in the image plane.

    Args:
        degrees: The largest angle in degrees in either direction, about all
            axes or one for each of x, y and z.

    Raises:
        ValueError: If :obj:`degrees` is neither one number nor three, or is
            negative, or if the motion does not have three channels.
    """

    def __init__(self, degrees: float | tuple[float, float, float]) -> None:
        if isinstance(degrees, float | Real):  # Real, which mypy does not know.
            degrees = (degrees, degrees, degrees)
        if len(degrees) != 3 or not all(0 <= d < math.inf for d in degrees):
            raise ValueError(
                f"'degrees' must be one or three numbers that are not "
                f"negative, got {degrees}"
            )
        self.degrees = tuple(degrees)

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        check_space(motion, self)
        drawn = draw_uniform(sample, -1.0, 1.0, 3)
        angles = drawn * torch.tensor(self.degrees).to(drawn)
        rotation = roma.euler_to_rotmat("xyz", angles, degrees=True)
        return motion @ rotation.to(motion).mT.unsqueeze(1)

import math

import roma
import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.checks import check_space
from symgnn_pyg.transforms.draw_uniform import draw_uniform
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("random_rotation")
class RandomRotation(MotionTransform):
    r"""Rotates a sample about the origin by random angles (functional name:
    :obj:`random_rotation`):

    .. math::
        \mathbf{x}' = \mathbf{R}_z(\gamma) \, \mathbf{R}_y(\beta) \,
        \mathbf{R}_x(\alpha) \, \mathbf{x}

    with :math:`\alpha`, :math:`\beta` and :math:`\gamma` drawn evenly
    between minus and plus their greatest values, once a sample. Positions in
    an image with a score, :math:`(x, y, s)`, are rotated in their plane by
    :obj:`degrees=(0, 0, 15)`.

    Args:
        degrees: The greatest angle in degrees, about every axis, or one about
            each of x, y and z.

    Raises:
        ValueError: If :obj:`degrees` is neither one number nor three, or
            negative, or if the motion has not three channels.
    """

    def __init__(self, degrees: float | tuple[float, float, float]) -> None:
        if isinstance(degrees, int | float):
            degrees = (degrees, degrees, degrees)
        if len(degrees) != 3 or not all(0 <= d < math.inf for d in degrees):
            raise ValueError(
                f"'degrees' must be one number or three, none negative, got "
                f"{degrees}"
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

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(degrees={self.degrees})"

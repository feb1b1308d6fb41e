import math

from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import draw_uniform
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("random_motion_shear")
class RandomShear(MotionTransform):
    r"""Shears a sample at random (functional name:
    :obj:`random_motion_shear`):

    .. math::
        \mathbf{x}' = \begin{bmatrix}
            1      & s_{xy} & s_{xz} \\
            s_{yx} & 1      & s_{yz} \\
            s_{zx} & s_{zy} & 1
        \end{bmatrix} \mathbf{x}

    for 3-D positions, where each :math:`s` is drawn uniformly between
    :obj:`-shear` and :obj:`shear` once per sample. This is
    :class:`torch_geometric.transforms.RandomShear` for motions instead of
    :obj:`pos`. Every channel counts as an axis.

    Args:
        shear: The largest :math:`s`.

    Raises:
        ValueError: If :obj:`shear` is negative.
    """

    def __init__(self, shear: float) -> None:
        if not 0 <= shear < math.inf:
            raise ValueError(f"'shear' must not be negative, got {shear}")
        self.shear = shear

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        axes = motion.size(-1)
        drawn = draw_uniform(sample, -self.shear, self.shear, axes, axes)
        matrix = drawn.to(motion)  # [M, C, C]
        matrix.diagonal(dim1=-2, dim2=-1).fill_(1.0)
        return motion @ matrix.mT.unsqueeze(1)

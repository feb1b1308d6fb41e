from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import draw_uniform
from symgnn_pyg.transforms.checks import check_range
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("random_motion_scale")
class RandomScale(MotionTransform):
    r"""Scales a sample by a random factor :math:`s` (functional name:
    :obj:`random_motion_scale`):

    .. math::
        \mathbf{x}' = s \, \mathbf{x}

    This is :class:`torch_geometric.transforms.RandomScale` for motions instead
    of :obj:`pos`. Every channel counts as an axis.

    Args:
        scales: The smallest and the largest factor :math:`s`. One factor is
            drawn uniformly per sample.

    Raises:
        ValueError: If not :obj:`0 < scales[0] <= scales[1]`.
    """

    def __init__(self, scales: tuple[float, float]) -> None:
        self.scales = check_range("scales", scales)

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        scale = draw_uniform(sample, *self.scales).to(motion)
        return motion * scale.view(-1, 1, 1, 1)

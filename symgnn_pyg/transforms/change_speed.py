import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.transforms.bodies import draw_uniform
from symgnn_pyg.transforms.checks import check_range
from symgnn_pyg.transforms.temporal_transform import TemporalTransform


@functional_transform("change_speed")
class ChangeSpeed(TemporalTransform):
    r"""Plays a motion at a random fraction :math:`f` of its speed, relative to
    the last observed frame :math:`T - 1`, which does not change (functional
    name: :obj:`change_speed`). The new frame :math:`n` is the old frame at
    time

    .. math::
        t_n = T - 1 + f (n - T + 1)

    Factors above 1 are not possible, since they would need frames before and
    after the motion. For faster motion, load frames with a larger stride.

    Args:
        factors: The smallest and the largest factor :math:`f`. One factor is
            drawn uniformly per sample. (default: :obj:`(0.5, 1.0)`)

    Raises:
        ValueError: If not :obj:`0 < factors[0] <= factors[1] <= 1`.
    """

    def __init__(self, factors: tuple[float, float] = (0.5, 1.0)) -> None:
        self.factors = check_range("factors", factors, most=1.0)

    def times(self, num_observed: int, length: int, sample: Tensor) -> Tensor:
        factor = draw_uniform(sample, *self.factors, 1)  # [M, 1]
        boundary = num_observed - 1
        frame = torch.arange(length).to(factor)
        return boundary + factor * (frame - boundary)

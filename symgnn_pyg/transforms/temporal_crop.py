import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.transforms.bodies import draw_uniform
from symgnn_pyg.transforms.checks import check_range
from symgnn_pyg.transforms.temporal_transform import TemporalTransform


@functional_transform("temporal_crop")
class TemporalCrop(TemporalTransform):
    r"""Crops a random section of the motion and stretches it to the original
    number of frames :math:`L = T + T'` (functional name:
    :obj:`temporal_crop`). The new frame :math:`n` is the old frame at time

    .. math::
        t_n = u (1 - r) (L - 1) + r n

    where the fraction :math:`r` of the duration and the start :math:`u`,
    between 0 and 1, are drawn uniformly once per sample. The first :math:`T`
    new frames are the observed ones.

    Args:
        ratios: The smallest and the largest fraction :math:`r`.
            (default: :obj:`(0.5, 1.0)`)

    Raises:
        ValueError: If not :obj:`0 < ratios[0] <= ratios[1] <= 1`.
    """

    def __init__(self, ratios: tuple[float, float] = (0.5, 1.0)) -> None:
        self.ratios = check_range("ratios", ratios, most=1.0)

    def times(self, num_observed: int, length: int, sample: Tensor) -> Tensor:
        share = draw_uniform(sample, *self.ratios, 1)  # [M, 1]
        start = draw_uniform(sample, 0.0, 1.0, 1) * (1 - share) * (length - 1)
        frame = torch.arange(length).to(start)
        return start + share * frame

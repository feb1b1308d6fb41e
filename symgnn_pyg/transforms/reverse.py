import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.errors import check_fractions
from symgnn_pyg.transforms.bodies import draw_uniform
from symgnn_pyg.transforms.temporal_transform import TemporalTransform


@functional_transform("reverse")
class Reverse(TemporalTransform):
    r"""Plays a motion backwards with probability :math:`p` (functional name:
    :obj:`reverse`), as in the `"Back to MLP: A Simple Baseline for Human
    Motion Prediction" <https://arxiv.org/abs/2207.01567>`_ paper. Of the
    :math:`L = T + T'` observed and future frames,

    .. math::
        \mathbf{x}'_n = \mathbf{x}_{L - 1 - n}

    and the first :math:`T` new frames are the observed ones: what came last is
    seen first. Labels are kept, so leave this transform out if classes differ
    only in direction, such as sitting down and standing up. Apply
    :class:`~symgnn_pyg.transforms.Difference` afterwards, since velocities
    played backwards change their sign.

    Args:
        p: The probability :math:`p`, drawn once per sample.
            (default: :obj:`0.5`)

    Raises:
        ValueError: If not :obj:`0 <= p <= 1`.
    """

    def __init__(self, p: float = 0.5) -> None:
        check_fractions(p=p)
        self.p = p

    def times(self, num_observed: int, length: int, sample: Tensor) -> Tensor:
        chosen = draw_uniform(sample, 0.0, 1.0, 1) < self.p  # [M, 1]
        frame = torch.arange(length, device=sample.device)
        return torch.where(chosen, length - 1 - frame, frame)

import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.transforms.bodies import draw_uniform
from symgnn_pyg.transforms.temporal_transform import TemporalTransform


@functional_transform("uniform_sample")
class UniformSample(TemporalTransform):
    r"""Samples :math:`n` of the :math:`T` observed frames, as the `"Revisiting
    Skeleton-based Action Recognition" <https://arxiv.org/abs/2104.13586>`_
    paper does (functional name: :obj:`uniform_sample`): one at a random place
    of each of :math:`n` equal segments, or the middle of each,

    .. math::
        t_i = \min \left( \max \left( (i + u_i) \frac{T}{n} - \frac{1}{2}, \,
        0 \right), \, T - 1 \right), \qquad i = 0, \ldots, n - 1

    where :math:`u_i` is drawn uniformly between 0 and 1 for each segment of
    each sample, or is :math:`1 / 2`. Future frames do not change. Two things
    differ from the paper's code: a time may lie between two frames, which are
    interpolated linearly, and a motion shorter than :math:`n` frames is
    stretched instead of repeated.

    Args:
        num_frames: The number of frames :math:`n`.
        random: If set to :obj:`False`, the middle of each segment is sampled.
            (default: :obj:`True`)

    Raises:
        TypeError: If :obj:`num_frames` is not an integer.
        ValueError: If :obj:`num_frames` is smaller than 1.

    Example:
        >>> clips = SkeletonFolder(  # doctest: +SKIP
        ...     "motion", samples="clips", num_observed=300, num_future=0
        ... )
        >>> clips.transform = UniformSample(100)  # doctest: +SKIP
    """

    def __init__(self, num_frames: int, random: bool = True) -> None:
        check_sizes(1, num_frames=num_frames)
        self.num_frames = int(num_frames)
        self.random = random

    def times(self, num_observed: int, length: int, sample: Tensor) -> Tensor:
        count = self.num_frames
        place = torch.arange(count, dtype=torch.double, device=sample.device)
        if self.random:
            place = place + draw_uniform(sample, 0.0, 1.0, count)  # [M, n]
        else:
            place = place + 0.5
        times = place * (num_observed / count) - 0.5
        times = times.clamp(0, num_observed - 1)
        future = torch.arange(num_observed, length).to(times)
        return torch.cat([times, future.expand(*times.shape[:-1], -1)], dim=-1)

    def num_observed(self, num_observed: int) -> int:
        return self.num_frames

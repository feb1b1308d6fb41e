from abc import abstractmethod

import torch
from torch import Tensor
from torch_geometric.data import Data

from symgnn_pyg.ops import interpolate_frames
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import bodies_of, join_frames, split_frames
from symgnn_pyg.transforms.motion_transform import MotionTransform


class TemporalTransform(MotionTransform):
    r"""The base class of transforms that sample a motion at other times, by
    :func:`~symgnn_pyg.ops.interpolate_frames`. A :obj:`mask` of seen joints is
    sampled too: a joint is seen at a time if it is seen in the frames before
    and after that time. Future frames count as seen.
    """

    @abstractmethod
    def times(self, num_observed: int, length: int, sample: Tensor) -> Tensor:
        r"""The times of the new frames in units of old frames, of shape
        :math:`[M, T_{\textrm{new}} + T'_{\textrm{new}}]`, or without the
        first dimension if they are the same for all bodies.

        Args:
            num_observed: The number of observed frames :math:`T`.
            length: The number of all frames :math:`T + T'`.
            sample: The sorted index of the sample of each body, of shape
                :math:`[M]`.
        """

    def num_observed(self, num_observed: int) -> int:
        r"""The new number of observed frames.

        Args:
            num_observed: The old number of observed frames.
        """
        return num_observed

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        length = motion.size(2)  # All frames count as observed.
        return _at(motion, self.times(length, length, sample))

    def forward(self, data: Data) -> Data:
        skeleton, sample = bodies_of(data)
        motion = join_frames(data, skeleton)
        before = data.x.size(1)
        times = self.times(before, motion.size(2), sample)
        after = self.num_observed(before)
        if "mask" in data:
            seen = torch.ones_like(motion[..., 0])  # [M, V, T + T']
            seen[:, :, :before] = data.mask.view_as(seen[:, :, :before])
            seen = _at(seen.unsqueeze(-1), times).squeeze(-1) == 1.0
            data.mask = seen[:, :, :after].flatten(0, 1)
        return split_frames(data, _at(motion, times), after, skeleton)


def _at(motion: Tensor, times: Tensor) -> Tensor:
    if times.dim() > 1:
        times = times.unsqueeze(1)  # [M, 1, T_new]
    return interpolate_frames(motion, times)

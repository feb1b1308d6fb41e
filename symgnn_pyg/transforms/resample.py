import math
from fractions import Fraction

import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.ops import interpolate_frames
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.temporal_transform import TemporalTransform


@functional_transform("resample")
class Resample(TemporalTransform):
    r"""Changes the frame rate of a motion by linear interpolation (functional
    name: :obj:`resample`). In units of old frames, the new frames are at the
    times

    .. math::
        t_n = n \, r_{\textrm{source}} / r_{\textrm{target}}, \qquad
        n = 0, 1, \ldots

    Frames with :math:`t_n \le T - 1` are the new observed frames, and those
    with :math:`T - 1 < t_n \le T + T' - 1` the new future frames, so
    :math:`T` and :math:`T'` change. There is no low-pass filter: movements
    above half the new rate are aliased.

    Args:
        source_rate: The old frame rate, in hertz.
        target_rate: The new frame rate, in hertz.

    Raises:
        ValueError: If a rate is not positive.
    """

    def __init__(self, source_rate: float, target_rate: float) -> None:
        for name, rate in (
            ("source_rate", source_rate),
            ("target_rate", target_rate),
        ):
            if not 0 < rate < math.inf:
                raise ValueError(f"'{name}' must be positive, got {rate}")
        self.source_rate = source_rate
        self.target_rate = target_rate
        # Exact, since rounding could move a frame across the boundary.
        self.step = Fraction(str(source_rate)) / Fraction(str(target_rate))

    def times(self, num_observed: int, length: int, sample: Tensor) -> Tensor:
        times = [float(n * self.step) for n in range(self.num_observed(length))]
        return torch.tensor(times, dtype=torch.double, device=sample.device)

    def num_observed(self, num_observed: int) -> int:
        return math.floor((num_observed - 1) / self.step) + 1

    def restore(
        self,
        future: Tensor,
        observed: Tensor,
        skeleton: Skeleton,
        sample: Tensor,
    ) -> Tensor:
        r"""Interpolates predicted frames at the old frame rate, up to the last
        predicted frame.
        """
        known = self.transform(observed, skeleton, sample)
        motion = torch.cat([known, future], dim=2)
        start = observed.size(2)
        count = self.num_restored(start, future.size(2))
        times = torch.tensor(
            [float(t / self.step) for t in range(start, start + count)],
            dtype=torch.double,
            device=future.device,
        )
        return interpolate_frames(motion, times)

    def num_required(self, num_observed: int) -> int:
        r"""The smallest number of old observed frames that give a number of
        new ones, the inverse of :meth:`num_observed`.

        Args:
            num_observed: The new number of observed frames.

        Raises:
            ValueError: If no number of old frames does.
        """
        required = math.ceil((num_observed - 1) * self.step) + 1
        if self.num_observed(required) != num_observed:
            raise ValueError(
                f"{self} never gives {num_observed} observed frames"
            )
        return required

    def num_restored(self, num_observed: int, num_future: int) -> int:
        r"""The number of frames that :meth:`restore` returns.

        Args:
            num_observed: The old number of observed frames.
            num_future: The new number of future frames.
        """
        last = self.num_observed(num_observed) + num_future - 1
        return math.floor(last * self.step) + 1 - num_observed

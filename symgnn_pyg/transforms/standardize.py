import numpy as np
import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("standardize")
class Standardize(MotionTransform):
    r"""Normalises each channel of each joint to zero mean and unit variance
    (functional name: :obj:`standardize`):

    .. math::
        \mathbf{x}'_{i,t} = (\mathbf{x}_{i,t} - \boldsymbol{\mu}_i) /
        \boldsymbol{\sigma}_i

    Channels that do not move are centred but not scaled.

    Args:
        mean: The mean :math:`\boldsymbol{\mu}`, of shape :math:`[V, C]`.
        std: The standard deviation :math:`\boldsymbol{\sigma}`, of shape
            :math:`[V, C]`.

    Raises:
        ValueError: If :obj:`mean` and :obj:`std` differ in shape, do not have
            two dimensions or are not finite, or if the motion has other
            joints or channels.
    """

    CONSTANT = 1e-4

    def __init__(
        self, mean: Tensor | np.ndarray, std: Tensor | np.ndarray
    ) -> None:
        # A device context would move tensors that are converted.
        mean, std = (
            given
            if isinstance(given, Tensor)
            else torch.as_tensor(given, device="cpu")
            for given in (mean, std)
        )
        if mean.dim() != 2 or mean.shape != std.shape:
            raise ValueError(
                f"Expected 'mean' and 'std' of the same shape [V, C], got "
                f"{list(mean.shape)} and {list(std.shape)}"
            )
        for name, statistic in (("mean", mean), ("std", std)):
            if not statistic.isfinite().all():
                raise ValueError(
                    f"'{name}' must be finite, got NaN or infinity"
                )
        self.mean = mean
        self.std = torch.where(std > self.CONSTANT, std, torch.ones_like(std))

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        _, num_joints, _, num_channels = motion.shape
        if self.mean.shape != (num_joints, num_channels):
            raise ValueError(
                f"Expected 'mean' and 'std' of shape [{num_joints}, "
                f"{num_channels}] for a motion of {skeleton!r}, got "
                f"{list(self.mean.shape)}"
            )
        mean, std = self._statistics(motion)
        return (motion - mean) / std

    def restore(
        self,
        future: Tensor,
        observed: Tensor,
        skeleton: Skeleton,
        sample: Tensor,
    ) -> Tensor:
        r"""Converts predicted frames to the unit of the data."""
        return self.inverse(future.flatten(0, 1)).view_as(future)

    def inverse(self, x: Tensor) -> Tensor:
        r"""Converts normalised poses back to the unit of the data.

        Args:
            x: The normalised poses, of shape :math:`[N \cdot V, T, C]`.

        Raises:
            ValueError: If :obj:`x` does not have this shape.
        """
        num_joints, num_channels = self.mean.shape
        # Poses of another shape could broadcast with the statistics.
        if x.dim() != 3 or x.size(0) % num_joints or x.size(2) != num_channels:
            raise ValueError(
                f"Expected 'x' of shape [N * {num_joints}, T, "
                f"{num_channels}], got {list(x.shape)}"
            )
        mean, std = self._statistics(x)
        poses = x.unflatten(0, (-1, num_joints))
        return (poses * std + mean).flatten(0, 1)

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        mean, std = self.mean.to(like), self.std.to(like)
        return mean.unsqueeze(1), std.unsqueeze(1)  # [V, 1, C]

    def __repr__(self) -> str:
        joints, channels = self.mean.shape
        return (
            f"{self.__class__.__name__}(joints={joints}, channels={channels})"
        )

import torch
from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("standardize")
class Standardize(MotionTransform):
    r"""Gives each channel of each joint zero mean and unit variance
    (functional name: :obj:`standardize`):

    .. math::
        \mathbf{x}'_{i,t} = (\mathbf{x}_{i,t} - \boldsymbol{\mu}_i) /
        \boldsymbol{\sigma}_i

    Channels that do not move keep their scale.

    Args:
        mean: The mean, of shape :math:`[V, C]`.
        std: The standard deviation, of shape :math:`[V, C]`.

    Raises:
        ValueError: If :obj:`mean` and :obj:`std` are not of one shape
            :math:`[V, C]` or hold numbers that are not finite, or if the
            motion has other joints or channels.
    """

    CONSTANT = 1e-4

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        if mean.dim() != 2 or mean.shape != std.shape:
            raise ValueError(
                f"'mean' and 'std' must both have the shape [V, C], got "
                f"{list(mean.shape)} and {list(std.shape)}"
            )
        for name, statistic in (("mean", mean), ("std", std)):
            if not statistic.isfinite().all():
                raise ValueError(f"'{name}' holds numbers that are not finite")
        self.mean = mean
        self.std = torch.where(std > self.CONSTANT, std, torch.ones_like(std))

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        _, num_joints, _, num_channels = motion.shape
        if self.mean.shape != (num_joints, num_channels):
            raise ValueError(
                f"'mean' of shape {list(self.mean.shape)} does not fit the "
                f"{num_joints} joints and {num_channels} channels of a motion "
                f"of {skeleton!r}"
            )
        mean, std = self._statistics(motion)
        return (motion - mean) / std

    def inverse(self, x: Tensor) -> Tensor:
        r"""Takes normalised poses back to the unit of the data.

        Args:
            x: The poses, of shape :math:`[N \cdot V, T, C]`.

        Raises:
            ValueError: If the rows are no multiple of :math:`V`.
        """
        if x.size(0) % self.mean.size(0) != 0:
            raise ValueError(
                f"'x' has {x.size(0)} rows (shape {list(x.shape)}), which is "
                f"no multiple of the {self.mean.size(0)} joints"
            )
        mean, std = self._statistics(x)
        poses = x.unflatten(0, (-1, self.mean.size(0)))
        return (poses * std + mean).flatten(0, 1)

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        mean, std = self.mean.to(like), self.std.to(like)
        return mean.unsqueeze(1), std.unsqueeze(1)  # [V, 1, C]

    def __repr__(self) -> str:
        joints, channels = self.mean.shape
        return (
            f"{self.__class__.__name__}(joints={joints}, channels={channels})"
        )

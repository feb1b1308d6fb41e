import torch
from torch import Tensor
from torch.nn import Module, Parameter

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class LinearForecast(Module):
    r"""Predicts each channel of each joint by a linear filter of its last
    :math:`k` observed frames, as offsets from the last pose:

    .. math::
        \hat{\mathbf{x}}_{T + t} - \mathbf{x}_T = \sum_{s=1}^{k-1}
        \mathbf{w}_{t,s} \odot 10 \, \mathcal{D}^1 \mathbf{x}_{T-k+1+s}

    Differences between frames are about a tenth of the poses; the factor 10
    lets their weights learn as fast. The weights start at zero: no motion is
    predicted. Equation (10) of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper has no such path.

    Args:
        pose_channels: Size of a joint's pose :math:`C`.
        skeleton: The skeleton.
        num_recent: The number of last observed frames that the filter sees
            :math:`k`, at least 2.
        num_future: The number of frames to predict :math:`T'`.

    Raises:
        ValueError: If :obj:`num_recent` is less than 2.

    Shapes:
        - **input:** observed sequences :math:`[N \cdot V, T, C]` with
          :math:`T \ge k`
        - **output:** offsets from the last pose :math:`[N \cdot V, T', C]`
    """

    def __init__(
        self,
        pose_channels: int,
        skeleton: Skeleton | str,
        *,
        num_recent: int,
        num_future: int,
    ) -> None:
        super().__init__()
        check_sizes(2, num_recent=num_recent)
        check_sizes(1, num_future=num_future)
        skeleton = as_skeleton(skeleton)
        self.num_recent = num_recent
        self.weight = Parameter(
            torch.empty(
                skeleton.num_joints, pose_channels, num_recent - 1, num_future
            )
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Sets the weights to zero."""
        torch.nn.init.zeros_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[N \cdot V, T, C]`.

        Raises:
            ValueError: If :obj:`x` has fewer than :math:`k` frames.
        """
        v = self.weight.size(0)
        seen = 10 * recent_frames(x, self.num_recent).diff(dim=1)
        seen = seen.unflatten(0, (-1, v)).permute(1, 3, 0, 2)  # [V, C, N, k-1]
        offset = torch.matmul(seen, self.weight)  # [V, C, N, T']
        return offset.permute(2, 0, 3, 1).flatten(0, 1)


def recent_frames(x: Tensor, num_recent: int) -> Tensor:
    r"""The last frames of sequences :math:`[N \cdot V, T, C]`."""
    if x.size(1) < num_recent:
        raise ValueError(
            f"Expected 'x' of at least 'num_recent' = {num_recent} frames, got "
            f"shape {list(x.shape)}"
        )
    return x[:, -num_recent:]

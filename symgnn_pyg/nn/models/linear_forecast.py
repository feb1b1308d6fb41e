import torch
from torch import Tensor
from torch.nn import Module, Parameter

from symgnn_pyg.skeleton import Skeleton, as_skeleton


class LinearForecast(Module):
    r"""A linear filter from the last observed frames of each channel of each
    joint to all frames to come, as offsets from the last pose:

    .. math::
        \hat{\mathbf{x}}_{T + t} - \mathbf{x}_T = \sum_{k=0}^{K-2}
        \mathbf{w}_{t,k} \odot 10 \, \mathcal{D}^1 \mathbf{x}_{T-k}

    The factor 10 makes differences as large as poses, so that their weights
    learn as fast. They start at zero: no motion is predicted. Equation (10) of
    the `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper has no such path, which is the fastest to learn on smooth motion.

    Args:
        skeleton: The skeleton.
        channels: Size of a joint's pose :math:`C`.
        num_recent: How many of the last observed frames it sees, :math:`K`.
        num_future: The number of frames to predict :math:`T'`.

    Shapes:
        - **input:** observed sequences :math:`[N \cdot V, T, C]` with
          :math:`T \ge K`
        - **output:** offsets from the last pose :math:`[N \cdot V, T', C]`
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        channels: int,
        num_recent: int,
        *,
        num_future: int,
    ) -> None:
        super().__init__()
        if num_recent < 2:
            raise ValueError(
                f"Expected 'num_recent' of at least 2 frames, got {num_recent}"
            )
        skeleton = as_skeleton(skeleton)
        self.num_recent = num_recent
        self.weight = Parameter(
            torch.empty(
                skeleton.num_joints, channels, num_recent - 1, num_future
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
            ValueError: If :obj:`x` has fewer than :math:`K` frames.
        """
        check_recent(x, self.num_recent)
        v = self.weight.size(0)
        seen = 10 * x[:, -self.num_recent :].diff(dim=1)  # [N*V, K-1, C]
        seen = seen.unflatten(0, (-1, v)).permute(1, 3, 0, 2)  # [V, C, N, K-1]
        offset = torch.matmul(seen, self.weight)  # [V, C, N, T']
        return offset.permute(2, 0, 3, 1).flatten(0, 1)


def check_recent(x: Tensor, num_recent: int) -> None:
    r"""Raises :class:`ValueError` for sequences that are too short."""
    if x.dim() != 3 or x.size(1) < num_recent:
        raise ValueError(
            f"Expected 'x' of shape [N * V, T, C] with at least {num_recent} "
            f"frames, got {list(x.shape)}"
        )

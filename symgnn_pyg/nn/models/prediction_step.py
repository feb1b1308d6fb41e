from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import GRUCell, Module
from torch.nn.init import normal_, zeros_
from torch_geometric.nn import MLP
from torch_geometric.nn.inits import reset

from symgnn_pyg.nn.conv import JointGraphConv


class PredictionStep(Module):
    r"""One frame of the motion-prediction head of the `"Symbiotic Graph
    Neural Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper, equation (10):

    .. math::
        \mathbf{h}^{\prime} &= \textrm{JGC}(\mathbf{h}) \\
        \mathbf{h}^{+} &= \textrm{GRU}([\mathbf{x}_t, \, \mathcal{D}^1
        \mathbf{x}_t, \, \mathcal{D}^2 \mathbf{x}_t, \, \hat{\mathbf{y}}], \,
        \mathbf{h}^{\prime}) \\
        \Delta \mathbf{x} &= f_{\textrm{out}}(\mathbf{h}^{+})

    Args:
        graph_conv: The joint-scale graph convolution, or :obj:`None` for
            :math:`\mathbf{h}^{\prime} = \mathbf{h}`.
        orders: The orders of the differences that the GRU takes.
        pose_channels: Size of a joint's pose :math:`C`.
        num_classes: The number of actions, or 0 without class probabilities.
        hidden_channels: The width of GRU and MLP.

    Shapes:
        - **input:** hidden states :math:`[N \cdot V, H]`, differences
          :math:`[N \cdot V, B \cdot C]`, class probabilities
          :math:`[N \cdot V, K]`, actional graphs :math:`[N, V, V]`
        - **output:** hidden states :math:`[N \cdot V, H]`, displacements
          :math:`[N \cdot V, C]`
    """

    def __init__(
        self,
        graph_conv: JointGraphConv | None,
        orders: Sequence[int],
        pose_channels: int,
        num_classes: int,
        hidden_channels: int,
    ) -> None:
        super().__init__()
        self.orders = tuple(orders)
        self.pose_channels = pose_channels
        self.graph_conv = graph_conv
        self.gru = GRUCell(
            len(self.orders) * pose_channels + num_classes, hidden_channels
        )
        self.out = MLP(
            [hidden_channels, hidden_channels, pose_channels], norm=None
        )
        self._balance()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)
        self._balance()

    def forward(
        self,
        h: Tensor,
        seen: Tensor,
        label: Tensor | None = None,
        actional: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        r"""Runs the forward pass.

        Args:
            h: Hidden states, of shape :math:`[N \cdot V, H]`.
            seen: The differences of :obj:`orders` one after the other, of
                shape :math:`[N \cdot V, B \cdot C]`.
            label: The class probabilities of each joint's sample, of shape
                :math:`[N \cdot V, K]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`.
        """
        if self.graph_conv is not None:
            h = self.graph_conv(h, actional)
        if label is not None:
            seen = torch.cat([seen, label], dim=1)
        h = self.gru(seen, h)
        return h, self.out(h)

    @torch.no_grad()
    def _balance(self) -> None:
        # Differences between frames are about a tenth of the poses; without
        # larger weights, the backbone's features would drown them out.
        weight = self.gru.weight_ih
        normal_(weight, std=weight.size(1) ** -0.5)
        width = self.pose_channels
        for i, order in enumerate(self.orders):
            weight[:, i * width : (i + 1) * width].mul_(max(1, 10 * order))
        zeros_(self.out.lins[-1].weight)
        zeros_(self.out.lins[-1].bias)


def check_orders(orders: Sequence[int]) -> None:
    r"""Checks that orders are given, not negative and all different."""
    if not orders or min(orders) < 0 or len(set(orders)) < len(orders):
        raise ValueError(
            f"'orders' must be different integers of at least 0, got {orders!r}"
        )

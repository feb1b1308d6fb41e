from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import GRUCell, Module
from torch.nn.functional import linear
from torch.nn.init import normal_, zeros_

from symgnn_pyg.nn.conv.joint_graph_conv import JointGraphConv
from symgnn_pyg.nn.models.mlp import MLP
from symgnn_pyg.ops.product import matmul


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
        orders: The orders of difference that the GRU sees.
        pose_channels: Size of a joint's pose :math:`C`.
        num_classes: The number of actions, or 0 without class probabilities.
        hidden_channels: The width of GRU and MLP.

    Shapes:
        - **input:** hidden states :math:`[N \cdot V, H]`, differences
          :math:`[N \cdot V, B \cdot C]`, what :meth:`label_gates` made
          :math:`[N \cdot V, 3 H]`, graphs :math:`[N, K, V, V]`
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
        r"""Draws new weights."""
        if self.graph_conv is not None:
            self.graph_conv.reset_parameters()
        self.gru.reset_parameters()
        self.out.reset_parameters()
        self._balance()

    def label_gates(
        self, probabilities: Tensor | None, num_joints: int, num_rows: int
    ) -> Tensor:
        r"""What class probabilities and biases add to the gates of the GRU:
        the same for every frame, and so computed once.

        Args:
            probabilities: The class probabilities :math:`[N, K]`, if any.
            num_joints: The number of joints :math:`V`.
            num_rows: :math:`N \cdot V`.
        """
        gru = self.gru
        size = gru.hidden_size
        # The bias of the new gate's hidden part is scaled by the reset gate.
        hidden = torch.cat(
            [gru.bias_hh[: 2 * size], gru.bias_hh.new_zeros(size)]
        )
        bias = gru.bias_ih + hidden
        if probabilities is None:
            return bias.expand(num_rows, -1)
        width = len(self.orders) * self.pose_channels
        gates = linear(probabilities, gru.weight_ih[:, width:], bias)
        return gates.repeat_interleave(num_joints, dim=0)

    def stack_graphs(
        self, actional: Tensor | None, num_rows: int
    ) -> Tensor | None:
        r"""The graphs of the convolution in one tensor :math:`[N, K, V, V]`,
        in the memory order that few joints want.

        Args:
            actional: The actional graphs :math:`[N, V, V]`, if any.
            num_rows: :math:`N \cdot V`.
        """
        if self.graph_conv is None:
            return None
        graphs = self.graph_conv.graphs(actional)
        stack = [g for g in graphs if isinstance(g, Tensor)]
        v = stack[0].size(-1)
        shape = (num_rows // v, v, v)
        return torch.stack([g.expand(shape) for g in stack], 2).transpose(1, 2)

    def forward(
        self, h: Tensor, seen: Tensor, label: Tensor, graphs: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        r"""Runs the forward pass.

        Args:
            h: Hidden states, of shape :math:`[N \cdot V, H]`.
            seen: The differences of :obj:`orders` one after the other, of
                shape :math:`[N \cdot V, B \cdot C]`.
            label: What :meth:`label_gates` made.
            graphs: The graphs of :class:`~symgnn_pyg.nn.JointGraphConv`, of
                shape :math:`[N, K, V, V]`.
        """
        if self.graph_conv is not None and graphs is not None:
            h = self.graph_conv.mix(h, graphs)
        gru, size = self.gru, self.gru.hidden_size
        # Products accumulate in the gates: no sum is left to do.
        gates = matmul(seen, gru.weight_ih[:, : seen.size(1)].t(), label)
        both, new = gates.split([2 * size, size], dim=1)
        weight, new_weight = gru.weight_hh.split([2 * size, size])
        both = matmul(h, weight.t(), both).sigmoid()
        reset, update = both.chunk(2, dim=1)
        hidden = matmul(h, new_weight.t(), gru.bias_hh[2 * size :])
        new = torch.addcmul(new, reset, hidden).tanh()
        h = torch.lerp(new, h, update)
        return h, self.out(h)

    @torch.no_grad()
    def _balance(self) -> None:
        # From frame to frame a body moves little: differences are a tenth of
        # the poses, and beside the backbone's features they would go unseen.
        weight = self.gru.weight_ih
        normal_(weight, std=weight.size(1) ** -0.5)
        width = self.pose_channels
        for i, order in enumerate(self.orders):
            weight[:, i * width : (i + 1) * width].mul_(max(1, 10 * order))
        zeros_(self.out.lins[-1].weight)
        zeros_(self.out.lins[-1].bias)


def check_orders(orders: Sequence[int]) -> None:
    r"""Refuses orders of difference that are none, negative or repeated."""
    if not orders or min(orders) < 0 or len(set(orders)) < len(orders):
        raise ValueError(
            f"'orders' must be different numbers from 0 on, got {orders!r}"
        )

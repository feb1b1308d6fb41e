from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import GRUCell, Module
from torch.nn.init import normal_, zeros_
from torch_geometric.nn import MLP

from symgnn_pyg import ops
from symgnn_pyg.nn.conv.joint_graph_conv import JointGraphConv
from symgnn_pyg.skeleton import Skeleton


class PredictionHead(Module):
    r"""The motion-prediction head of the `"Symbiotic Graph Neural Networks
    for 3D Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper, equation (10). From
    :math:`\mathbf{h}^{(0)} = f_{\textrm{pred}}(\mathbf{H})` it predicts frame
    after frame, feeding each prediction back:

    .. math::
        \mathbf{h}^{\prime} &= \textrm{JGC}(\mathbf{h}^{(t)}) \\
        \mathbf{h}^{(t+1)} &= \textrm{GRU}([\mathbf{x}_t, \,
        \mathcal{D}^1 \mathbf{x}_t, \, \mathcal{D}^2 \mathbf{x}_t, \,
        \hat{\mathbf{y}}], \, \mathbf{h}^{\prime}) \\
        \hat{\mathbf{x}}_{t+1} &= \mathbf{x}_t +
        f_{\textrm{out}}(\mathbf{h}^{(t+1)})

    where :math:`\hat{\mathbf{y}}` are the class probabilities of the
    recognition head. The last layer of :math:`f_{\textrm{out}}` starts at
    zero: an untrained head predicts that the body stays where it is.

    Args:
        in_channels: Size of each joint's features :math:`D`.
        pose_channels: Size of a joint's pose :math:`C`.
        skeleton: The skeleton.
        future: The number of frames to predict :math:`T'`.
        num_classes: The number of actions, or 0 without class
            probabilities. (default: :obj:`0`)
        orders: The orders of difference that the GRU sees.
            (default: :obj:`(0, 1, 2)`)
        hidden_channels: The width of GRU and MLPs. (default: :obj:`256`)
        num_hops: The number of hops :math:`L`. (default: :obj:`4`)
        lambda_: The weight of the actional graph. (default: :obj:`0.5`)
        structural: Whether JGC has structural graphs.
            (default: :obj:`True`)
        actional: Whether JGC has actional graphs. Without both,
            :math:`\mathbf{h}^{\prime} = \mathbf{h}`. (default: :obj:`True`)

    Shapes:
        - **input:** observed sequences :math:`[N \cdot V, T, C]`,
          joint features :math:`[N \cdot V, D]`,
          actional graphs :math:`[N, V, V]`,
          class probabilities :math:`[N, K]`
        - **output:** predicted poses :math:`[N \cdot V, T', C]`
    """

    def __init__(
        self,
        in_channels: int,
        pose_channels: int,
        skeleton: Skeleton,
        future: int,
        num_classes: int = 0,
        orders: Sequence[int] = (0, 1, 2),
        hidden_channels: int = 256,
        num_hops: int = 4,
        lambda_: float = 0.5,
        structural: bool = True,
        actional: bool = True,
    ) -> None:
        super().__init__()
        self.num_joints = skeleton.num_joints
        self.num_classes = num_classes
        self.pose_channels = pose_channels
        self.future = future
        self.orders = tuple(orders)
        self.fuse = MLP(
            [in_channels, hidden_channels, hidden_channels], norm=None
        )
        self.graph_conv: JointGraphConv | None = None
        if structural or actional:
            self.graph_conv = JointGraphConv(
                hidden_channels,
                hidden_channels,
                skeleton,
                num_hops,
                lambda_,
                structural,
                actional,
            )
        self.gru = GRUCell(
            len(self.orders) * pose_channels + num_classes, hidden_channels
        )
        self.out = MLP(
            [hidden_channels, hidden_channels, pose_channels], norm=None
        )
        self._balance()

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        self.fuse.reset_parameters()
        if self.graph_conv is not None:
            self.graph_conv.reset_parameters()
        self.gru.reset_parameters()
        self.out.reset_parameters()
        self._balance()

    def forward(
        self,
        x: Tensor,
        h: Tensor,
        actional: Tensor | None = None,
        probabilities: Tensor | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[N \cdot V, T, C]`.
            h: Joint features, of shape :math:`[N \cdot V, D]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`.
            probabilities: The class probabilities, of shape :math:`[N, K]`.

        Raises:
            ValueError: If :obj:`probabilities` are missing though the head
                was built with classes, or the other way round.
        """
        if (probabilities is None) != (self.num_classes == 0):
            raise ValueError(
                f"A head for {self.num_classes} classes was given "
                f"{'no ' if probabilities is None else ''}'probabilities'"
            )
        label = []
        if probabilities is not None:
            label = [self._per_joint(probabilities)]
        highest = max(self.orders)
        # Only the last frames matter for the differences of the current one.
        recent = x[:, -(highest + 1) :]
        state = [ops.difference(recent, b)[:, -1] for b in range(highest + 1)]
        h = self.fuse(h)
        poses = []
        for _ in range(self.future):
            mixed = h
            if self.graph_conv is not None:
                mixed = self.graph_conv(h, actional)
            seen = [state[order] for order in self.orders]
            h = self.gru(torch.cat(seen + label, dim=-1), mixed)
            following = [state[0] + self.out(h)]
            for previous in state[:-1]:
                following.append(following[-1] - previous)
            state = following
            poses.append(state[0])
        return torch.stack(poses, dim=1)

    def _per_joint(self, probabilities: Tensor) -> Tensor:
        return (
            probabilities.unsqueeze(1)
            .expand(-1, self.num_joints, -1)
            .flatten(0, 1)
        )

    @torch.no_grad()
    def _balance(self) -> None:
        # From frame to frame a body moves little: differences are a tenth of
        # the poses, and beside the backbone's features they would go unseen.
        self.fuse.lins[-1].weight.mul_(0.1)
        if self.graph_conv is not None:
            self.graph_conv.weight.div_(self.graph_conv.weight.size(0))
        weight = self.gru.weight_ih
        normal_(weight, std=weight.size(1) ** -0.5)
        width = self.pose_channels
        for i, order in enumerate(self.orders):
            weight[:, i * width : (i + 1) * width].mul_(max(1, 10 * order))
        zeros_(self.out.lins[-1].weight)
        zeros_(self.out.lins[-1].bias)

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Dropout, Identity, Module, Sequential
from torch_geometric.nn.inits import reset

from symgnn_pyg.nn.conv.graph_mix_conv import GraphMixConv
from symgnn_pyg.nn.conv.joint_graph_conv import JointGraphConv
from symgnn_pyg.nn.conv.part_graph_conv import PartGraphConv
from symgnn_pyg.nn.conv.temporal_conv import TemporalConv
from symgnn_pyg.typing import GraphLike, SkeletonLike


class ChannelNorm(BatchNorm1d):
    r"""Batch normalisation over the last dimension of
    :math:`[M, T, C]` features.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).view_as(x)


class UniformDropout(Dropout):
    r"""Dropout that draws uniform numbers: on a CPU faster than the
    Bernoulli numbers of :class:`torch.nn.Dropout`
    (`python -m benchmarks.train_step`).
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0 or x.device.type != "cpu":
            return super().forward(x)
        keep = 1.0 - self.p
        return x * torch.rand_like(x).lt_(keep).div_(max(keep, 1e-12))


class GraphTemporalBlock(Module):
    r"""A graph convolution followed by a temporal one, with batch
    normalisation, dropout and a residual connection:

    .. math::
        \mathbf{H} &= \textrm{ReLU}(\textrm{BN}(\textrm{GC}(\mathbf{X}))) \\
        \mathbf{Y} &= \textrm{ReLU}(\textrm{Dropout}(\textrm{BN}(
        \textrm{TC}_{\tau,s}(\mathbf{H}))) + \textrm{res}(\mathbf{X}))

    Args:
        graph_conv: The graph convolution.
        kernel_size: The temporal kernel :math:`\tau`, in frames, odd.
        stride: The temporal stride :math:`s`, in frames.
        dropout: The dropout probability.
        residual: Whether there is a residual connection: the identity, or
            a strided pointwise convolution with batch normalisation where
            width or stride change.
    """

    def __init__(
        self,
        graph_conv: GraphMixConv,
        kernel_size: int,
        stride: int,
        dropout: float,
        residual: bool,
    ) -> None:
        super().__init__()
        in_channels = graph_conv.in_channels
        channels = graph_conv.out_channels
        self.graph_conv = graph_conv
        self.graph_norm = ChannelNorm(channels)
        self.temporal_conv = TemporalConv(
            channels, channels, kernel_size, stride
        )
        self.temporal_norm = ChannelNorm(channels)
        self.dropout = UniformDropout(dropout)
        self.stride = stride
        self.residual: Module | None = None
        if residual and (in_channels, stride) == (channels, 1):
            self.residual = Identity()
        elif residual:
            self.residual = Sequential(
                TemporalConv(in_channels, channels, 1, stride),
                ChannelNorm(channels),
            )

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        for module in self.children():
            reset(module)

    def _forward(self, x: Tensor, mixed: Tensor) -> Tensor:
        # In place, since what is overwritten is needed by no backward pass.
        h = self.graph_norm(mixed).relu_()
        out = self.dropout(self.temporal_norm(self.temporal_conv(h)))
        if self.residual is not None:
            out = out + self.residual(x)
        return out.relu_()


class JGTCBlock(GraphTemporalBlock):
    r"""The joint-scale graph and temporal convolution block (JGTC),
    equation (6) of the `"Symbiotic GraphLike Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathbf{H} &= \textrm{ReLU}(\textrm{BN}(\textrm{JGC}(\mathbf{X}))) \\
        \mathbf{Y} &= \textrm{ReLU}(\textrm{Dropout}(\textrm{BN}(
        \textrm{TC}_{\tau,s}(\mathbf{H}))) + \textrm{res}(\mathbf{X}))

    Args:
        in_channels: Size of each input sample :math:`C_{in}`.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton, or several.
        num_hops: The number of hops :math:`L`. (default: :obj:`4`)
        lambda_: The weight of the actional graph. (default: :obj:`0.5`)
        kernel_size: The temporal kernel :math:`\tau`, in frames, odd.
            (default: :obj:`9`)
        stride: The temporal stride :math:`s`. (default: :obj:`1`)
        dropout: The dropout probability. (default: :obj:`0.5`)
        residual: Whether there is a residual connection: the identity, or a
            strided pointwise convolution with batch normalisation where
            width or stride change. (default: :obj:`True`)
        structural: Whether structural graphs are used.
            (default: :obj:`True`)
        actional: Whether actional graphs are used. (default: :obj:`True`)

    Shapes:
        - **input:** node features :math:`[\sum_n V_n, T, C_{in}]`,
          actional graphs :math:`[N, V, V]`
        - **output:** node features
          :math:`[N \cdot V, \lceil T / s \rceil, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike,
        num_hops: int = 4,
        lambda_: float = 0.5,
        kernel_size: int = 9,
        stride: int = 1,
        dropout: float = 0.5,
        residual: bool = True,
        structural: bool = True,
        actional: bool = True,
    ) -> None:
        graph_conv = JointGraphConv(
            in_channels,
            out_channels,
            skeleton,
            num_hops,
            lambda_,
            structural,
            actional,
        )
        super().__init__(graph_conv, kernel_size, stride, dropout, residual)

    def forward(
        self,
        x: Tensor,
        actional: GraphLike | None = None,
        skeleton_type: Sequence[int] | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[\sum_n V_n, T, C_{in}]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`, or a
                sequence of :math:`N` matrices :math:`[V_n, V_n]`.
            skeleton_type: For several skeletons, which of them each sample
                has, as Python integers.
        """
        return self._forward(
            x, self.graph_conv(x, actional, skeleton_type=skeleton_type)
        )


class PGTCBlock(GraphTemporalBlock):
    r"""The part-scale graph and temporal convolution block (PGTC),
    equation (8) of the `"Symbiotic GraphLike Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathbf{H} &= \textrm{ReLU}(\textrm{BN}(\textrm{PGC}(\mathbf{X}))) \\
        \mathbf{Y} &= \textrm{ReLU}(\textrm{Dropout}(\textrm{BN}(
        \textrm{TC}_{\tau,s}(\mathbf{H}))) + \textrm{res}(\mathbf{X}))

    Args:
        in_channels: Size of each input sample :math:`C_{in}`.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton whose parts are the nodes, or several.
        kernel_size: The temporal kernel :math:`\tau`, in frames, odd.
            (default: :obj:`9`)
        stride: The temporal stride :math:`s`. (default: :obj:`1`)
        dropout: The dropout probability. (default: :obj:`0.5`)
        residual: Whether there is a residual connection.
            (default: :obj:`True`)

    Shapes:
        - **input:** part features :math:`[N \cdot V_p, T, C_{in}]`
        - **output:** part features
          :math:`[N \cdot V_p, \lceil T / s \rceil, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike,
        kernel_size: int = 9,
        stride: int = 1,
        dropout: float = 0.5,
        residual: bool = True,
    ) -> None:
        graph_conv = PartGraphConv(in_channels, out_channels, skeleton)
        super().__init__(graph_conv, kernel_size, stride, dropout, residual)

    def forward(
        self, x: Tensor, skeleton_type: Sequence[int] | None = None
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Part features, of shape :math:`[\sum_n V_{p,n}, T, C_{in}]`.
            skeleton_type: For several skeletons, which of them each sample
                has, as Python integers.
        """
        return self._forward(x, self.graph_conv(x, skeleton_type=skeleton_type))

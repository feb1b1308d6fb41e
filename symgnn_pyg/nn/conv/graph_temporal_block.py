import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Conv2d, Dropout, Identity, Module, Sequential
from torch_geometric.nn.inits import reset

from symgnn_pyg import ops
from symgnn_pyg.nn.conv.channel_norm import ChannelNorm, KeepRunningStatistics
from symgnn_pyg.nn.conv.graph_mix_conv import GraphMixConv
from symgnn_pyg.nn.conv.hooks import has_hooks
from symgnn_pyg.nn.conv.temporal_conv import TemporalConv
from symgnn_pyg.nn.in_channels import set_in_channels


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
        *,
        dropout: float,
        residual: bool,
    ) -> None:
        super().__init__()
        in_channels = graph_conv.in_channels
        set_in_channels(self, in_channels, "graph_conv.weight")
        self.out_channels = channels = graph_conv.out_channels
        self.graph_conv = graph_conv
        self.graph_norm = ChannelNorm(channels)
        self.temporal_conv = TemporalConv(
            channels, channels, kernel_size, stride=stride
        )
        self.temporal_norm = ChannelNorm(channels)
        self.dropout = UniformDropout(dropout)
        self.stride = stride
        self.residual: Module | None = None
        if residual:
            self.residual = residual_connection(in_channels, channels, stride)

    def initialize_parameters(self, in_channels: int) -> None:
        unchanged = (in_channels, self.stride) == (self.out_channels, 1)
        if self.residual is not None and unchanged:
            self.residual = Identity()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)

    def _forward(self, x: Tensor, mixed: Tensor) -> Tensor:
        out = self.dropout(self.temporal_norm(self._temporal(mixed)))
        if self.residual is None:
            return out.relu()
        return (out + self.residual(x)).relu_()

    def _temporal(self, mixed: Tensor) -> Tensor:
        norm, conv = self.graph_norm, self.temporal_conv

        def temporal(mixed: Tensor, *_: Tensor) -> Tensor:
            return conv(norm(mixed).relu())

        # Another module may draw random numbers or count its calls.
        recomputes = (
            type(norm) is ChannelNorm
            and type(norm.norm) is BatchNorm1d
            and type(conv) is TemporalConv
            and type(conv.conv) is Conv2d
            and not has_hooks(norm, conv)
        )
        if not (self.training and recomputes):
            return temporal(mixed)
        # The input of the convolution would take a quarter of a block's memory
        # in training (`python -m benchmarks.blocks`).
        weights = *norm.parameters(), *conv.parameters()
        return ops.recompute(
            temporal,
            mixed,
            *weights,
            recompute_context=KeepRunningStatistics(norm.norm),
        )


def residual_connection(
    in_channels: int, out_channels: int, stride: int = 1
) -> Module:
    r"""The identity, or a strided pointwise convolution with batch
    normalisation where width or stride change.
    """
    if (in_channels, stride) == (out_channels, 1):
        return Identity()
    return Sequential(
        TemporalConv(in_channels, out_channels, 1, stride=stride),
        ChannelNorm(out_channels),
    )


class UniformDropout(Dropout):
    r"""Dropout that draws uniform numbers, which is faster on a CPU than the
    Bernoulli numbers of :class:`torch.nn.Dropout`
    (`python -m benchmarks.train_step`).
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p in (0.0, 1.0) or x.device.type != "cpu":
            return super().forward(x)
        keep = 1.0 - self.p
        # Uniform numbers in bfloat16 have 8 bits: too many would be below.
        wide = torch.promote_types(x.dtype, torch.float32)
        # One byte per number is saved for the backward pass.
        mask = torch.rand_like(x, dtype=wide).lt(keep).view(torch.uint8)
        return (x * mask).mul_(1.0 / keep)

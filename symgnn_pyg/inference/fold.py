import copy
from types import NoneType
from typing import Any, TypeGuard, TypeVar

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Conv2d, Identity, Module, Sequential
from torch.nn.utils.fusion import fuse_linear_bn_weights

from symgnn_pyg.nn import (
    JGTCBlock,
    JointGraphConv,
    MultiScaleGCN,
    PartGraphConv,
    PGTCBlock,
    TemporalConv,
)
from symgnn_pyg.nn.conv.channel_norm import ChannelNorm
from symgnn_pyg.nn.conv.graph_temporal_block import GraphTemporalBlock
from symgnn_pyg.nn.conv.hooks import has_hooks
from symgnn_pyg.nn.conv.masked_graph import MaskedGraph

Network = TypeVar("Network", bound=Module)


def fold(model: Network) -> Network:
    r"""Returns a copy of a network for inference only. It computes the same as
    the network in evaluation mode, up to rounding, and is faster for small
    batches (`python -m benchmarks.streaming`). In each block of a
    :class:`~symgnn_pyg.nn.MultiScaleGCN`, batch normalisation is folded into
    the preceding weights, and the temporal convolution becomes a single
    product. Blocks in which modules were replaced or hooks are registered stay
    as they are.

    Args:
        model: The network. It is not modified, and later changes to it do not
            affect the copy.
    """
    model = copy.deepcopy(model).eval().requires_grad_(False)
    for module in model.modules():
        if isinstance(module, MultiScaleGCN):
            for blocks in (module.joint_blocks, module.part_blocks):
                for i, block in enumerate(blocks):
                    if _is_foldable(block):
                        blocks[i] = FoldedBlock(block)
    return model


class FoldedBlock(Module):
    r"""A :class:`~symgnn_pyg.nn.JGTCBlock` or :class:`~symgnn_pyg.nn.PGTCBlock`
    of one skeleton in evaluation mode, with batch normalisation folded into
    its weights.
    """

    graphs: Tensor
    weight: Tensor
    bias: Tensor
    temporal_weight: Tensor
    temporal_bias: Tensor
    residual_weight: Tensor | None

    def __init__(self, block: GraphTemporalBlock) -> None:
        super().__init__()
        mix, conv = block.graph_conv, block.temporal_conv
        self.lambda_ = mix.lambda_ if isinstance(mix, JointGraphConv) else 0.0
        self.kernel_size = conv.conv.kernel_size[1]
        self.stride = block.stride
        self.identity = isinstance(block.residual, Identity)
        graphs = mix.weight.new_empty(0)
        if isinstance(mix.masked_graph, MaskedGraph):
            graphs = torch.stack(mix.masked_graph())
        weight, bias = _fold(
            mix.weight.flatten(0, 1).t(), None, block.graph_norm
        )
        self.register_buffer("graphs", graphs)  # [K, V, V]
        self.register_buffer("weight", weight.view_as(mix.weight))
        self.register_buffer("bias", bias)
        weight, bias = _fold_conv(conv, block.temporal_norm)
        residual_weight = None
        if isinstance(block.residual, Sequential):
            residual_weight, residual_bias = _fold_conv(*block.residual)
            bias = bias + residual_bias
        self.register_buffer("residual_weight", residual_weight)
        self.register_buffer("temporal_weight", weight)
        self.register_buffer("temporal_bias", bias)

    def forward(self, x: Tensor, actional: Tensor | None = None) -> Tensor:
        rows, frames, _ = x.shape  # [N*V, T, C_in]
        h = self._mix(x, actional)
        around = self.kernel_size // 2
        padded = h.new_zeros(rows, frames + 2 * around, h.size(1))
        inner = padded[:, around : around + frames]
        torch.clamp_min(h.view(inner.shape), 0, out=inner)
        windows = (
            padded.unfold(1, self.kernel_size, self.stride)
            .transpose(2, 3)  # [N*V, T/s, tau, C]
            .flatten(2)
        )
        windows, frames = windows.flatten(0, 1), windows.size(1)
        out = torch.addmm(self.temporal_bias, windows, self.temporal_weight)
        if self.identity:
            out += x.flatten(0, 1)
        elif self.residual_weight is not None:
            kept = x[:, :: self.stride].flatten(0, 1)
            out = torch.addmm(out, kept, self.residual_weight)
        return out.relu_().unflatten(0, (rows, frames))

    def _mix(self, x: Tensor, actional: Tensor | None) -> Tensor:
        graphs = self.graphs
        if actional is not None:
            own = graphs.expand(actional.size(0), *graphs.shape)
            acting = self.lambda_ * actional.unsqueeze(1)
            graphs = torch.cat([own, acting], dim=1) if len(graphs) else acting
        num_graphs, v = self.weight.size(0), graphs.size(-1)
        bodies = x.reshape(x.size(0) // v, v, x.size(1) * x.size(2))
        mixed = graphs.flatten(-3, -2) @ bodies  # [N, K*V, T*C]
        mixed = mixed.view(len(bodies), num_graphs, v * x.size(1), x.size(2))
        out = self.bias
        for k, weight in enumerate(self.weight):
            out = torch.addmm(out, mixed[:, k].flatten(0, 1), weight)
        return out


def _is_foldable(block: Any) -> TypeGuard[GraphTemporalBlock]:
    return (
        type(block) in (JGTCBlock, PGTCBlock)
        and type(block.graph_conv) in (JointGraphConv, PartGraphConv)
        and type(block.graph_conv.masked_graph) in (MaskedGraph, NoneType)
        and _is_plain_norm(block.graph_norm)
        and _is_plain_conv(block.temporal_conv)
        and _is_plain_norm(block.temporal_norm)
        and (
            type(block.residual) in (Identity, NoneType)
            or (
                type(block.residual) is Sequential
                and _is_plain_conv(block.residual[0])
                and _is_plain_norm(block.residual[1])
            )
        )
        and not has_hooks(block)
    )


def _is_plain_conv(step: Module) -> bool:
    return (
        type(step) is TemporalConv
        and type(step.conv) is Conv2d
        and step.conv.padding_mode == "zeros"
    )


def _is_plain_norm(step: Module) -> bool:
    return (
        type(step) is ChannelNorm
        and type(step.norm) is BatchNorm1d
        and step.norm.running_mean is not None
    )


def _fold(
    weight: Tensor, bias: Tensor | None, norm: ChannelNorm
) -> tuple[Tensor, Tensor]:
    bn = norm.norm
    assert bn.running_mean is not None
    assert bn.running_var is not None
    statistics = bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    weight, bias = fuse_linear_bn_weights(weight, bias, *statistics)
    # [C_in, C_out], and no parameters.
    return weight.detach().t().contiguous(), bias.detach()


def _fold_conv(conv: TemporalConv, norm: ChannelNorm) -> tuple[Tensor, Tensor]:
    weight = conv.conv.weight.squeeze(2).transpose(1, 2)  # [C_out, tau, C_in]
    return _fold(weight.flatten(1), conv.conv.bias, norm)

import torch
from torch import Tensor
from torch.nn import Linear, Module, ModuleList, Parameter, ReLU, Sequential
from torch.nn.functional import pad
from torch.nn.init import constant_, zeros_
from torch_geometric.nn.inits import reset

from symgnn_pyg.nn import TemporalConv
from symgnn_pyg.nn.baselines.agcn import AGCN, SMALL
from symgnn_pyg.nn.conv.channel_norm import ChannelNorm
from symgnn_pyg.nn.conv.graph_temporal_block import residual_connection
from symgnn_pyg.nn.fixed_buffers import FixedBuffers

DILATIONS = (1, 2)
NUM_BRANCHES = len(DILATIONS) + 2


class ChannelGraphConv(FixedBuffers):
    r"""The channel-wise topology refinement graph convolution of CTR-GCN. Each
    channel :math:`d` of the output has graphs of its own:

    .. math::
        \mathbf{y}_{i,t,d} = \sum_{k=1}^{K} \sum_{j=1}^{V} \left(
        (\mathbf{A}_k)_{i,j} + \alpha \, \mathbf{q}_{k,i,j,d} \right)
        (\mathbf{W}_k \mathbf{x}_{j,t} + \mathbf{b}_k)_d, \qquad
        \mathbf{q}_{k,i,j} = \mathbf{U}_k \tanh \left(
        \theta_k(\bar{\mathbf{x}}_i) - \phi_k(\bar{\mathbf{x}}_j) \right) +
        \mathbf{c}_k

    where :math:`\bar{\mathbf{x}}` is the mean over frames. The graphs
    :math:`\mathbf{A}_k`, which all channels share, start as the given
    partitions and are trained, and so is :math:`\alpha`, which starts at zero.

    Args:
        in_channels: Size of each input sample :math:`C`.
        out_channels: Size of each output sample :math:`D`.
        partitions: The graphs that the shared ones start from, of shape
            :math:`[K, V, V]`.

    Shapes:
        - **input:** node features :math:`[M \cdot V, T, C]`
        - **output:** node features :math:`[M \cdot V, T, D]`
    """

    partitions: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, partitions: Tensor
    ) -> None:
        super().__init__()
        num_graphs = partitions.size(0)
        width = max(8, in_channels // 8)
        self.register_fixed("partitions", partitions)
        self.graphs = Parameter(torch.empty(partitions.shape))
        self.alpha = Parameter(torch.empty(()))
        self.value = Linear(in_channels, num_graphs * out_channels)
        self.embed = Linear(in_channels, 2 * num_graphs * width)
        self.refine = ModuleList(
            Linear(width, out_channels) for _ in range(num_graphs)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)
        zeros_(self.alpha)
        with torch.no_grad():
            self.graphs.copy_(self.partitions)

    def topology(self, x: Tensor) -> Tensor:
        r"""The refined graphs, of shape :math:`[M, K, V, V, D]`."""
        num_graphs, num_joints, _ = self.graphs.shape
        h = self.embed(x.mean(dim=1)).unflatten(-1, (2, num_graphs, -1))
        h = h.unflatten(0, (-1, num_joints))  # [M, V, 2, K, R]
        target, source = h.permute(2, 0, 3, 1, 4)
        relation = (target.unsqueeze(3) - source.unsqueeze(2)).tanh_()
        refined = [
            linear(part)
            for linear, part in zip(
                self.refine, relation.unbind(dim=1), strict=True
            )
        ]
        shared = self.graphs.unsqueeze(-1)
        return shared + self.alpha * torch.stack(refined, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        graphs = self.topology(x)
        num_graphs, num_joints = graphs.shape[1:3]
        value = self.value(x).unflatten(-1, (num_graphs, -1))
        value = value.unflatten(0, (-1, num_joints))  # [M, V, T, K, D]
        # `graph_mix` has one graph for all channels.
        mixed = torch.einsum("mkijd,mjtkd->mitd", graphs, value)
        return mixed.flatten(0, 1)


class TemporalMaxPool(Module):
    r"""The maximum over three frames.

    Args:
        stride: The temporal stride.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        # Not `max_pool1d`, which is exported for one number of frames.
        padded = pad(x, (0, 0, 1, 1), value=-torch.inf)
        return padded.unfold(1, 3, self.stride).amax(dim=-1)


class MultiScaleTemporalConv(Module):
    r"""The temporal part of a block of CTR-GCN. Four branches each have a
    fourth of the channels: temporal convolutions of kernel 5 and dilation 1
    and 2, the maximum over three frames, and a pointwise convolution.

    Args:
        channels: The width, a multiple of 4.
        stride: The temporal stride.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        width = channels // NUM_BRANCHES

        def branch(temporal: Module) -> Sequential:
            return Sequential(
                TemporalConv(channels, width, 1),
                ChannelNorm(width),
                ReLU(),
                temporal,
                ChannelNorm(width),
            )

        self.branches = ModuleList(
            branch(
                TemporalConv(width, width, 5, stride=stride, dilation=dilation)
            )
            for dilation in DILATIONS
        )
        self.branches.append(branch(TemporalMaxPool(stride)))
        self.branches.append(
            Sequential(
                TemporalConv(channels, width, 1, stride=stride),
                ChannelNorm(width),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=-1)


class ChannelTopologyBlock(Module):
    r"""A block of CTR-GCN: a graph convolution with its own residual
    connection, followed by a temporal one.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        partitions: Tensor,
        stride: int,
        residual: bool,
    ) -> None:
        super().__init__()
        self.graph_conv = ChannelGraphConv(
            in_channels, out_channels, partitions
        )
        self.graph_norm = ChannelNorm(out_channels)
        self.graph_residual = residual_connection(in_channels, out_channels)
        self.temporal_conv = MultiScaleTemporalConv(out_channels, stride)
        self.residual = None
        if residual:
            self.residual = residual_connection(
                in_channels, out_channels, stride
            )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)
        # At first almost everything passes through the residual connection.
        constant_(self.graph_norm.norm.weight, SMALL)

    def forward(self, x: Tensor) -> Tensor:
        h = self.graph_norm(self.graph_conv(x))
        out = self.temporal_conv((h + self.graph_residual(x)).relu_())
        if self.residual is not None:
            out = out + self.residual(x)
        return out.relu()


class CTRGCN(AGCN):
    r"""One stream of the network from the `"Channel-wise Topology Refinement
    Graph Convolution for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/2107.12213>`_ paper (CTR-GCN): ten blocks, each of a
    graph convolution

    .. math::
        \mathbf{y}_{i,t,d} = \sum_{k=1}^{3} \sum_{j=1}^{V} \left(
        (\mathbf{A}_k)_{i,j} + \alpha \, \mathbf{q}_{k,i,j,d} \right)
        (\mathbf{W}_k \mathbf{x}_{j,t} + \mathbf{b}_k)_d

    with trainable graphs :math:`\mathbf{A}_k` that all channels share and
    differences :math:`\mathbf{q}` from them for each channel :math:`d`, which
    are inferred from each sample, followed by temporal convolutions of several
    dilations. The bone stream is the same network on
    :meth:`~symgnn_pyg.Skeleton.dual`; the paper adds the scores of four
    streams.

    Two things differ from the published code: the graphs start as the
    partitions of :class:`STGCN`, which share out the mean over a joint and its
    neighbours, instead of being normalised one by one; and weights start from
    this library's initialisation.

    With the 25 joints of NTU-RGB+D it has 1.46 million parameters for 120
    classes, as published, and 1.45 million for 60.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_classes: The number of actions :math:`K`.
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        channels: The width of each block, a multiple of 4.
            (default: four times 64, three times 128 and 256)
        strides: The temporal stride of each block.
            (default: 2 in the fifth and the eighth block, otherwise 1)

    Raises:
        ValueError: If a size is smaller than 1, a width is not a multiple of
            4, or :obj:`channels` and :obj:`strides` differ in length.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples, of any length
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with class scores
          :math:`[N, K]`
    """

    _block = ChannelTopologyBlock

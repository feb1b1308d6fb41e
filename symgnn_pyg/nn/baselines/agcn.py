from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Identity, Linear, Module, Parameter, Sequential
from torch.nn.init import constant_

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import GraphMixConv, TemporalConv
from symgnn_pyg.nn.baselines.joint_classifier import JointClassifier
from symgnn_pyg.nn.baselines.st_gcn import spatial_partitions
from symgnn_pyg.nn.conv.channel_norm import ChannelNorm
from symgnn_pyg.nn.conv.graph_temporal_block import GraphTemporalBlock

CHANNELS = (64,) * 4 + (128,) * 3 + (256,) * 3
STRIDES = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
SMALL = 1e-6


class AdaptiveGraphs(Module):
    r"""The graphs :math:`\mathbf{A}_k + \mathbf{B}_k + \mathbf{C}_k` of an
    adaptive graph convolution: the fixed partitions, a trainable matrix, and
    for each sample the similarity of its joints by an embedded Gaussian,

    .. math::
        \mathbf{C}_k = \textrm{softmax} \left( \frac{1}{T E}
        \theta_k(\mathbf{X}) \, \phi_k(\mathbf{X})^{\top} \right)

    Args:
        in_channels: Size of each input sample :math:`C`.
        embedding_channels: The width :math:`E` of both embeddings.
        partitions: The graphs :math:`\mathbf{A}_k`, of shape
            :math:`[K, V, V]`.

    Shapes:
        - **input:** node features :math:`[M \cdot V, T, C]`
        - **output:** graphs :math:`[M, K, V, V]`
    """

    partitions: Tensor

    def __init__(
        self, in_channels: int, embedding_channels: int, partitions: Tensor
    ) -> None:
        super().__init__()
        self.register_buffer("partitions", partitions, persistent=False)
        self.trainable = Parameter(torch.full_like(partitions, SMALL))
        num_embeddings = 2 * partitions.size(0)
        self.embed = Linear(in_channels, num_embeddings * embedding_channels)

    def forward(self, x: Tensor) -> Tensor:
        num_graphs, num_joints, _ = self.partitions.shape
        h = self.embed(x).unflatten(-1, (2, num_graphs, -1))
        h = h.unflatten(0, (-1, num_joints))  # [M, V, T, 2, K, E]
        target, source = h.permute(3, 0, 4, 1, 2, 5).flatten(-2)
        similarity = torch.matmul(target, source.mT) / target.size(-1)
        fixed = self.partitions + self.trainable
        return fixed + similarity.softmax(dim=-1)


class AdaptiveBlock(GraphTemporalBlock):
    r"""A block of 2s-AGCN: an adaptive graph convolution with a residual
    connection of its own, then a temporal one.

    Args:
        in_channels: Size of each input sample.
        out_channels: Size of each output sample.
        partitions: The graphs, of shape :math:`[K, V, V]`.
        stride: The temporal stride.
        residual: Whether there is a residual connection around the block.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        partitions: Tensor,
        stride: int,
        residual: bool,
    ) -> None:
        conv = GraphMixConv(in_channels, out_channels, partitions.size(0))
        super().__init__(conv, 9, stride, 0.0, residual)
        self.graphs = AdaptiveGraphs(in_channels, out_channels // 4, partitions)
        self.graph_residual: Module = Identity()
        if in_channels != out_channels:
            self.graph_residual = Sequential(
                TemporalConv(in_channels, out_channels, 1),
                ChannelNorm(out_channels),
            )
        # The residual connection is all that counts at first.
        constant_(self.graph_norm.norm.weight, SMALL)

    def forward(self, x: Tensor) -> Tensor:
        h = self.graph_norm(self.graph_conv.mix(x, self.graphs(x)))
        h = (h + self.graph_residual(x)).relu()
        out = self.temporal_norm(self.temporal_conv(h))
        if self.residual is not None:
            out = out + self.residual(x)
        return out.relu()


class AGCN(JointClassifier):
    r"""One stream of the `"Two-Stream Adaptive Graph Convolutional Networks
    for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/1805.07694>`_ paper (2s-AGCN): ten blocks of
    adaptive graph convolution, one more than the paper counts, as in its
    code. The stream of the bones is the same on
    :meth:`~symgnn_pyg.Skeleton.dual`; 2s-AGCN adds the scores of both.

    Left out: the biases of the graph convolutions and the initialisation of
    weights of the code. All joints have one bone in the paper, where the
    centre's is empty; in the dual there is no such bone. With NTU-RGB+D's 25
    joints and 60 classes it has 3.47 million parameters, as published: 6.94
    million in both streams.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions.
        num_observed: The number of observed frames.
        num_future: Ignored.
        in_channels: Size of a joint's pose. (default: :obj:`3`)
        channels: The width of each block, a multiple of four.
            (default: four times 64, three times 128 and 256)
        strides: The temporal stride of each block.
            (default: 2 in the fifth and the eighth)

    Raises:
        ValueError: If a width is no multiple of four.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        num_observed: int,
        num_future: int,
        in_channels: int = 3,
        channels: Sequence[int] = CHANNELS,
        strides: Sequence[int] = STRIDES,
    ) -> None:
        if any(width < 4 or width % 4 != 0 for width in channels):
            raise ValueError(
                f"'channels' must be multiples of 4, got {tuple(channels)}"
            )
        partitions = spatial_partitions(skeleton)
        before = in_channels, *channels[:-1]
        sizes = zip(before, channels, strides, strict=True)
        blocks = [
            AdaptiveBlock(narrow, width, partitions, stride, residual=i > 0)
            for i, (narrow, width, stride) in enumerate(sizes)
        ]
        base = skeleton, num_classes, num_observed, num_future, in_channels
        super().__init__(*base, blocks, channels[-1])

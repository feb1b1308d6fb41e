from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import Linear, Module, Parameter
from torch.nn.init import constant_

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import GraphMixConv
from symgnn_pyg.nn.baselines.joint_classifier import JointClassifier
from symgnn_pyg.nn.baselines.st_gcn import spatial_partitions
from symgnn_pyg.nn.conv.graph_temporal_block import (
    GraphTemporalBlock,
    residual_connection,
)
from symgnn_pyg.nn.fixed_buffers import FixedBuffers

CHANNELS = (64,) * 4 + (128,) * 3 + (256,) * 3
STRIDES = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
SMALL = 1e-6


class AdaptiveGraphs(FixedBuffers):
    r"""The graphs :math:`\mathbf{A}_k + \mathbf{B}_k + \mathbf{C}_k` of an
    adaptive graph convolution: fixed partitions, trainable matrices and, for
    each sample, the similarity of its joints in an embedding space,

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
        self.register_fixed("partitions", partitions)
        self.trainable = Parameter(torch.empty(partitions.shape))
        num_embeddings = 2 * partitions.size(0)
        self.embed = Linear(in_channels, num_embeddings * embedding_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        constant_(self.trainable, SMALL)
        self.embed.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        num_graphs, num_joints, _ = self.partitions.shape
        h = self.embed(x).unflatten(-1, (2, num_graphs, -1))
        h = h.unflatten(0, (-1, num_joints))  # [M, V, T, 2, K, E]
        target, source = h.permute(3, 0, 4, 1, 2, 5).flatten(-2)
        similarity = torch.matmul(target, source.mT) / target.size(-1)
        fixed = self.partitions + self.trainable
        return fixed + similarity.softmax(dim=-1)


class AdaptiveBlock(GraphTemporalBlock):
    r"""A block of 2s-AGCN: an adaptive graph convolution with its own
    residual connection, followed by a temporal convolution.
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
        conv = GraphMixConv(in_channels, out_channels, partitions.size(0))
        super().__init__(conv, 9, stride, dropout=0.0, residual=residual)
        self.graphs = AdaptiveGraphs(in_channels, out_channels // 4, partitions)
        self.graph_residual = residual_connection(in_channels, out_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        # At first almost everything passes through the residual connection.
        constant_(self.graph_norm.norm.weight, SMALL)

    def forward(self, x: Tensor) -> Tensor:
        h = self.graph_norm(self.graph_conv(x, self.graphs(x)))
        h = (h + self.graph_residual(x)).relu_()
        out = self.temporal_norm(self.temporal_conv(h))
        if self.residual is not None:
            out = out + self.residual(x)
        return out.relu()


class AGCN(JointClassifier):
    r"""One stream of the two-stream adaptive graph convolutional network
    (2s-AGCN) from the `"Two-Stream Adaptive Graph Convolutional Networks for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/1805.07694>`_
    paper: blocks of an adaptive graph convolution

    .. math::
        \mathbf{Y}_t = \sum_{k=1}^{3} (\mathbf{A}_k + \mathbf{B}_k +
        \mathbf{C}_k) \mathbf{X}_t \mathbf{W}_k

    with the partitions :math:`\mathbf{A}_k` of :class:`STGCN`, trainable
    matrices :math:`\mathbf{B}_k` and the similarity :math:`\mathbf{C}_k` of
    the joints of each sample in an embedding space, followed by a temporal
    convolution. Like the published code it has ten blocks, one more than the
    paper. The bone stream is the same network on
    :meth:`~symgnn_pyg.Skeleton.dual`; 2s-AGCN adds the scores of both streams.

    Two things differ from the published code: the graph convolutions have no
    bias, and weights start from this library's initialisation.

    With the 25 joints and 60 classes of NTU-RGB+D it has 3.47 million
    parameters, as published, and both streams have 6.94 million.

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

    _block: ClassVar[type[Module]] = AdaptiveBlock

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_classes: int,
        *,
        in_channels: int = 3,
        channels: Sequence[int] = CHANNELS,
        strides: Sequence[int] = STRIDES,
    ) -> None:
        if any(width < 4 or width % 4 != 0 for width in channels):
            raise ValueError(
                f"'channels' must be multiples of 4, got {tuple(channels)}"
            )
        super().__init__(
            skeleton,
            num_classes,
            in_channels,
            channels=channels,
            strides=strides,
            block=partial(self._block, partitions=spatial_partitions(skeleton)),
        )
        self._keep_arguments(locals())

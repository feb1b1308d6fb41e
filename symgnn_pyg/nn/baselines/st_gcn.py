from collections.abc import Sequence

import networkx as nx
import torch
from torch import Tensor

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import GraphMixConv
from symgnn_pyg.nn.baselines.joint_classifier import JointClassifier
from symgnn_pyg.nn.conv.graph_temporal_block import GraphTemporalBlock

CHANNELS = (64,) * 3 + (128,) * 3 + (256,) * 3
STRIDES = (1, 1, 1, 2, 1, 1, 2, 1, 1)


def spatial_partitions(skeleton: Skeleton, num_hops: int = 1) -> Tensor:
    r"""The spatial configuration partitioning of ST-GCN, extended to further
    hops as AS-GCN does. Each joint takes the mean of the joints that are
    :obj:`num_hops` bones away at most; the matrix of that mean is shared out
    among the joint itself and, for each hop, joints that are not farther from
    the centre than it is, and joints that are.

    Args:
        skeleton: The skeleton, with its centre.
        num_hops: The number of hops :math:`L`. (default: :obj:`1`)

    Returns:
        The graphs, of shape :math:`[2 L + 1, V, V]`.
    """
    joints = range(skeleton.num_joints)
    graph = nx.Graph(skeleton.bones + skeleton.links)
    graph.add_nodes_from(joints)
    found = dict(nx.all_pairs_shortest_path_length(graph))
    hops = torch.tensor([[found[i][j] for j in joints] for i in joints])
    depth = hops[skeleton.centre]
    farther = depth.unsqueeze(0) > depth.unsqueeze(1)
    groups = [hops == 0]
    for hop in range(1, num_hops + 1):
        groups += [(hops == hop) & ~farther, (hops == hop) & farther]
    near = (hops <= num_hops).to(torch.get_default_dtype())
    return torch.stack(groups) * (near / near.sum(dim=1, keepdim=True))


class SpatialBlock(GraphTemporalBlock):
    r"""A block of ST-GCN: a graph convolution over partitions, each with a
    trainable mask, then a temporal one. Further graphs, one per sample, join
    the partitions.
    """

    def forward(self, x: Tensor, *graphs: Tensor) -> Tensor:
        conv = self.graph_conv
        assert conv.masked_graph is not None
        return self._forward(x, conv.mix(x, [*conv.masked_graph(), *graphs]))


def spatial_blocks(
    partitions: Tensor,
    in_channels: int,
    channels: Sequence[int],
    strides: Sequence[int],
    kernel_size: int,
    dropout: float,
    num_further: int = 0,
) -> list[SpatialBlock]:
    r"""The blocks of ST-GCN; the first has no residual connection.

    Args:
        partitions: The graphs, of shape :math:`[K, V, V]`.
        in_channels: Size of a joint's pose.
        channels: The width of each block.
        strides: The temporal stride of each block.
        kernel_size: The temporal kernel, in frames, odd.
        dropout: The dropout probability.
        num_further: The number of further graphs. (default: :obj:`0`)
    """
    num_graphs = partitions.size(0) + num_further
    before = in_channels, *channels[:-1]
    sizes = zip(before, channels, strides, strict=True)
    return [
        SpatialBlock(
            GraphMixConv(narrow, width, num_graphs, partitions),
            kernel_size,
            stride,
            dropout,
            residual=i > 0,
        )
        for i, (narrow, width, stride) in enumerate(sizes)
    ]


class STGCN(JointClassifier):
    r"""The network of the `"Spatial Temporal Graph Convolutional Networks for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/1801.07455>`_
    paper: nine blocks of

    .. math::
        \mathbf{Y}_t = \sum_{k=1}^{3} (\mathbf{M}_k \odot \mathbf{A}_k)
        \mathbf{X}_t \mathbf{W}_k

    over the three partitions of :func:`spatial_partitions`, with edge
    importance :math:`\mathbf{M}_k`, and a temporal convolution.

    Left out: the biases of the graph convolutions, behind which batch
    normalisation stands. With NTU-RGB+D's 25 joints and 60 classes it has
    3.04 million parameters; the 3.10 million that are quoted are those of the
    published code, which has a tenth block, of width 64.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions.
        num_observed: The number of observed frames.
        num_future: Ignored.
        in_channels: Size of a joint's pose. (default: :obj:`3`)
        channels: The width of each block. (default: three times 64, 128, 256)
        strides: The temporal stride of each block.
            (default: 2 in the fourth and the seventh)
        kernel_size: The temporal kernel, in frames. (default: :obj:`9`)
        dropout: The dropout probability. (default: :obj:`0.5`)
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
        kernel_size: int = 9,
        dropout: float = 0.5,
    ) -> None:
        partitions = spatial_partitions(skeleton)
        blocks = spatial_blocks(
            partitions, in_channels, channels, strides, kernel_size, dropout
        )
        base = skeleton, num_classes, num_observed, num_future, in_channels
        super().__init__(*base, blocks, channels[-1])

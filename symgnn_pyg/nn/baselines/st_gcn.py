from collections.abc import Sequence
from functools import partial

import networkx as nx
import torch
from torch import Tensor

from symgnn_pyg.nn import GraphMixConv
from symgnn_pyg.nn.baselines.joint_classifier import JointClassifier
from symgnn_pyg.nn.conv.graph_temporal_block import GraphTemporalBlock
from symgnn_pyg.skeleton import Skeleton, as_skeleton

CHANNELS = (64,) * 3 + (128,) * 3 + (256,) * 3
STRIDES = (1, 1, 1, 2, 1, 1, 2, 1, 1)


def spatial_partitions(skeleton: Skeleton | str, num_hops: int = 1) -> Tensor:
    r"""The spatial configuration partitioning of ST-GCN, extended to several
    hops as in AS-GCN. The matrix that averages the joints within
    :obj:`num_hops` bones is split into disjoint graphs: one of the joints
    themselves and, for each hop, one of the joints that are at most as far
    from the skeleton's centre as the joint itself and one of those that are
    farther away.

    Args:
        skeleton: The skeleton.
        num_hops: The number of hops :math:`L`. (default: :obj:`1`)

    Returns:
        The graphs, of shape :math:`[2 L + 1, V, V]`, in double precision.
    """
    skeleton = as_skeleton(skeleton)
    joints = range(skeleton.num_joints)
    graph = nx.Graph(skeleton.bones + skeleton.links)
    graph.add_nodes_from(joints)
    found = dict(nx.all_pairs_shortest_path_length(graph))
    distances = [[found[i][j] for j in joints] for i in joints]
    hops = torch.tensor(distances, device="cpu")
    depth = hops[skeleton.centre]
    farther = depth.unsqueeze(0) > depth.unsqueeze(1)
    groups = [hops == 0]
    for hop in range(1, num_hops + 1):
        groups += [(hops == hop) & ~farther, (hops == hop) & farther]
    near = (hops <= num_hops).double()
    return torch.stack(groups) * (near / near.sum(dim=1, keepdim=True))


class SpatialBlock(GraphTemporalBlock):
    r"""A block of ST-GCN: a graph convolution over the partitions, each with
    a trainable mask, followed by a temporal convolution. Its forward pass
    takes additional graphs, one per sample.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        partitions: Tensor,
        num_additional: int = 0,
        kernel_size: int,
        stride: int,
        dropout: float,
        residual: bool,
    ) -> None:
        num_graphs = partitions.size(0) + num_additional
        conv = GraphMixConv(
            in_channels, out_channels, num_graphs, adjacency=partitions
        )
        super().__init__(
            conv, kernel_size, stride, dropout=dropout, residual=residual
        )

    def forward(self, x: Tensor, *graphs: Tensor) -> Tensor:
        conv = self.graph_conv
        assert conv.masked_graph is not None
        return self._forward(x, conv(x, [*conv.masked_graph(), *graphs]))


class STGCN(JointClassifier):
    r"""The spatial temporal graph convolutional network (ST-GCN) from the
    `"Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
    Recognition" <https://arxiv.org/abs/1801.07455>`_ paper: nine blocks, each
    of a graph convolution

    .. math::
        \mathbf{Y}_t = \sum_{k=1}^{3} (\mathbf{M}_k \odot \mathbf{A}_k)
        \mathbf{X}_t \mathbf{W}_k

    over the three graphs :math:`\mathbf{A}_k` of the spatial configuration
    partitioning (a joint itself, its neighbours towards the skeleton's centre
    and those away from it) with edge importance weights :math:`\mathbf{M}_k`,
    followed by a temporal convolution.

    With the 25 joints and 60 classes of NTU-RGB+D it has 3.04 million
    parameters. The 3.10 million that are often quoted are those of the
    published code, which has a tenth block, of width 64. The graph
    convolutions have no bias, which the batch normalisation that follows
    would cancel.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_classes: The number of actions :math:`K`.
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        channels: The width of each block.
            (default: three times 64, 128 and 256)
        strides: The temporal stride of each block.
            (default: 2 in the fourth and the seventh block, otherwise 1)
        kernel_size: The temporal kernel, in frames, odd.
            (default: :obj:`9`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Raises:
        ValueError: If a size is smaller than 1, or :obj:`channels` and
            :obj:`strides` differ in length.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples, of any length
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with class scores
          :math:`[N, K]`
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_classes: int,
        *,
        in_channels: int = 3,
        channels: Sequence[int] = CHANNELS,
        strides: Sequence[int] = STRIDES,
        kernel_size: int = 9,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            skeleton,
            num_classes,
            in_channels,
            channels=channels,
            strides=strides,
            block=partial(
                SpatialBlock,
                partitions=spatial_partitions(skeleton),
                kernel_size=kernel_size,
                dropout=dropout,
            ),
        )
        self._keep_arguments(locals())

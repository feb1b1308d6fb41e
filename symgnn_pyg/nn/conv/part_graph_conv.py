from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.typing import Adj

from symgnn_pyg.nn.batch import check_no_skeleton_type, per_skeleton
from symgnn_pyg.nn.conv.graph_mix_conv import GraphMixConv
from symgnn_pyg.typing import SkeletonLike


class PartGraphConv(GraphMixConv):
    r"""The part-scale graph convolution (PGC), equation (7) of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper:

    .. math::
        \mathbf{Y}_t = \left( \mathbf{M}_p \odot \mathbf{D}_p^{-1}
        \mathbf{A}_{\textrm{part}} \right) \mathbf{X}_t \mathbf{W}_p

    where :math:`\mathbf{A}_{\textrm{part}}` is the graph of the body parts with
    self-loops and :math:`\mathbf{M}_p` a trainable mask, initialised to ones.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton whose parts are the nodes, or several skeletons
            with separate masks and shared weights, or :obj:`None` for a layer
            without a mask that takes edges.

    Shapes:
        - **input:** part features :math:`[\sum_n V_{p,n}, *, C_{in}]`
        - **output:** part features :math:`[\sum_n V_{p,n}, *, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike | None = None,
    ) -> None:
        adjacency = per_skeleton(
            skeleton, lambda s: s.part_adjacency(torch.double).unsqueeze(0)
        )
        super().__init__(in_channels, out_channels, adjacency=adjacency)

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        edge_index: Adj | None = None,
        edge_weight: Tensor | None = None,
        skeleton_type: Sequence[int] | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Part features, of shape :math:`[\sum_n V_{p,n}, *, C_{in}]`.
            edge_index: Edges :math:`[2, |E|]` or a sparse transposed adjacency
                matrix, instead of the skeleton.
            edge_weight: The weights of the edges :math:`[|E|]`.
            skeleton_type: For a layer of several skeletons, the index of the
                skeleton of each sample, as Python integers.
        """
        graphs = None
        if edge_index is not None:
            check_no_skeleton_type(skeleton_type)
        elif self.masked_graph is not None:
            graphs = self._own_graphs(skeleton_type)
        return super().forward(x, graphs, edge_index, edge_weight)

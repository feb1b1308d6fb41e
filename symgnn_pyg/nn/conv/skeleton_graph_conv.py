from collections.abc import Sequence

from torch import Tensor
from torch_geometric.typing import Adj

from symgnn_pyg.nn.batch import check_no_skeleton_type
from symgnn_pyg.nn.conv.graph_mix_conv import GraphMixConv


class SkeletonGraphConv(GraphMixConv):
    r"""The base class of convolutions over the graphs of a skeleton, or over
    edges in their place.
    """

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        edge_index: Adj | None = None,
        edge_weight: Tensor | None = None,
        skeleton_type: Sequence[int] | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[\sum_n V_n, *, C_{in}]`.
            edge_index: Edges :math:`[2, |E|]`, instead of the skeleton, or for
                a single graph a sparse transposed adjacency matrix.
            edge_weight: The weights of the edges :math:`[|E|, K]`, or
                :math:`[|E|]` for a single graph.
            skeleton_type: For a layer of several skeletons, the index of the
                skeleton of each sample, as Python integers.
        """
        graphs = None
        if edge_index is not None:
            check_no_skeleton_type(skeleton_type)
        elif self.masked_graph is not None:
            graphs = self._own_graphs(skeleton_type)
        return super().forward(x, graphs, edge_index, edge_weight)

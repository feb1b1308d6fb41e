from collections.abc import Sequence

from torch import Tensor
from torch_geometric.typing import Adj

from symgnn_pyg.nn.conv.graph_temporal_block import GraphTemporalBlock
from symgnn_pyg.nn.conv.part_graph_conv import PartGraphConv
from symgnn_pyg.typing import SkeletonLike


class PGTCBlock(GraphTemporalBlock):
    r"""The part-scale graph and temporal convolution block (PGTC),
    equation (8) of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathbf{H} &= \textrm{ReLU}(\textrm{BN}(\textrm{PGC}(\mathbf{X}))) \\
        \mathbf{Y} &= \textrm{ReLU}(\textrm{Dropout}(\textrm{BN}(
        \textrm{TC}_{\tau,s}(\mathbf{H}))) + \textrm{res}(\mathbf{X}))

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton whose parts are the nodes, or several, or
            :obj:`None` for a block that takes edges.
        kernel_size: The temporal kernel :math:`\tau`, in frames, odd.
            (default: :obj:`5`)
        stride: The temporal stride :math:`s`. (default: :obj:`1`)
        dropout: The dropout probability. (default: :obj:`0.5`)
        residual: Whether there is a residual connection.
            (default: :obj:`True`)

    Shapes:
        - **input:** part features :math:`[\sum_n V_{p,n}, T, C_{in}]`
        - **output:** part features
          :math:`[\sum_n V_{p,n}, \lceil T / s \rceil, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike | None = None,
        *,
        kernel_size: int = 5,
        stride: int = 1,
        dropout: float = 0.5,
        residual: bool = True,
    ) -> None:
        graph_conv = PartGraphConv(in_channels, out_channels, skeleton)
        super().__init__(
            graph_conv, kernel_size, stride, dropout=dropout, residual=residual
        )

    def forward(
        self,
        x: Tensor,
        edge_index: Adj | None = None,
        edge_weight: Tensor | None = None,
        skeleton_type: Sequence[int] | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Part features, of shape :math:`[\sum_n V_{p,n}, T, C_{in}]`.
            edge_index: Edges :math:`[2, |E|]` or a sparse transposed adjacency
                matrix, instead of the skeleton.
            edge_weight: The weights of the edges :math:`[|E|]`.
            skeleton_type: For several skeletons, the index of the skeleton of
                each sample, as Python integers.
        """
        mixed = self.graph_conv(x, edge_index, edge_weight, skeleton_type)
        return self._forward(x, mixed)

from collections.abc import Sequence

from torch import Tensor
from torch_geometric.typing import Adj

from symgnn_pyg.nn.conv.graph_temporal_block import GraphTemporalBlock
from symgnn_pyg.nn.conv.joint_graph_conv import JointGraphConv
from symgnn_pyg.typing import GraphLike, SkeletonLike


class JGTCBlock(GraphTemporalBlock):
    r"""The joint-scale graph and temporal convolution block (JGTC),
    equation (6) of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathbf{H} &= \textrm{ReLU}(\textrm{BN}(\textrm{JGC}(\mathbf{X}))) \\
        \mathbf{Y} &= \textrm{ReLU}(\textrm{Dropout}(\textrm{BN}(
        \textrm{TC}_{\tau,s}(\mathbf{H}))) + \textrm{res}(\mathbf{X}))

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton, or several, or :obj:`None` for a block that
            takes edges.
        num_hops: The number of hops :math:`L`. (default: :obj:`3`)
        lambda_: The weight of the actional graph. (default: :obj:`0.5`)
        kernel_size: The temporal kernel :math:`\tau`, in frames, odd.
            (default: :obj:`5`)
        stride: The temporal stride :math:`s`. (default: :obj:`1`)
        dropout: The dropout probability. (default: :obj:`0.5`)
        residual: Whether there is a residual connection: the identity, or a
            strided pointwise convolution with batch normalisation where
            width or stride change. (default: :obj:`True`)
        use_structural: Whether structural graphs are used.
            (default: :obj:`True`)
        use_actional: Whether actional graphs are used. (default: :obj:`True`)

    Shapes:
        - **input:** node features :math:`[\sum_n V_n, T, C_{in}]`,
          actional graphs :math:`[N, V, V]`
        - **output:** node features
          :math:`[\sum_n V_n, \lceil T / s \rceil, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike | None = None,
        *,
        num_hops: int = 3,
        lambda_: float = 0.5,
        kernel_size: int = 5,
        stride: int = 1,
        dropout: float = 0.5,
        residual: bool = True,
        use_structural: bool = True,
        use_actional: bool = True,
    ) -> None:
        graph_conv = JointGraphConv(
            in_channels,
            out_channels,
            skeleton,
            num_hops=num_hops,
            lambda_=lambda_,
            use_structural=use_structural,
            use_actional=use_actional,
        )
        super().__init__(
            graph_conv, kernel_size, stride, dropout=dropout, residual=residual
        )

    def forward(
        self,
        x: Tensor,
        actional: GraphLike | None = None,
        edge_index: Adj | None = None,
        edge_weight: Tensor | None = None,
        skeleton_type: Sequence[int] | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[\sum_n V_n, T, C_{in}]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`, or a
                sequence of :math:`N` matrices :math:`[V_n, V_n]`.
            edge_index: Edges :math:`[2, |E|]`, instead of the skeleton, for
                any other graph.
            edge_weight: The weights of the edges :math:`[|E|, L]`, as
                :class:`~symgnn_pyg.nn.JointGraphConv` takes them.
            skeleton_type: For several skeletons, the index of the skeleton of
                each sample, as Python integers.
        """
        mixed = self.graph_conv(
            x, actional, edge_index, edge_weight, skeleton_type
        )
        return self._forward(x, mixed)

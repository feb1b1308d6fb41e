from torch import Tensor
from torch_geometric.typing import Adj

from symgnn_pyg.nn.conv.graph_mix_conv import GraphMixConv
from symgnn_pyg.typing import GraphLike


class ActionalGraphConv(GraphMixConv):
    r"""The actional graph convolution (AGC), equation (3) of the `"Symbiotic
    Graph Neural Networks for 3D Skeleton-based Human Action Recognition and
    Motion Prediction" <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathbf{Y}_t = \mathbf{A}_{\textrm{act}} \mathbf{X}_t
        \mathbf{W}_{\textrm{act}}

    where :math:`\mathbf{A}_{\textrm{act}}` is inferred for each sample, by
    :class:`~symgnn_pyg.nn.ActionalGraphInference`.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.

    Shapes:
        - **input:** node features :math:`[\sum_n V_n, *, C_{in}]`,
          actional graphs :math:`[N, V, V]` or :math:`N` matrices
          :math:`[V_n, V_n]`
        - **output:** node features :math:`[\sum_n V_n, *, C_{out}]`
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        actional: GraphLike | None = None,
        edge_index: Adj | None = None,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[\sum_n V_n, *, C_{in}]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`, or a
                sequence of :math:`N` matrices :math:`[V_n, V_n]`.
            edge_index: Instead of :obj:`actional`: edges :math:`[2, |E|]` or
                a sparse transposed adjacency matrix.
            edge_weight: The edges' weights :math:`[|E|]`.
        """
        graphs = None if actional is None else [actional]
        return super().forward(x, graphs, edge_index, edge_weight)

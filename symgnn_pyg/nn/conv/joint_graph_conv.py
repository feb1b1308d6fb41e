from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.typing import Adj

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn.batch import (
    check_no_skeleton_type,
    check_tensor,
    per_skeleton,
)
from symgnn_pyg.nn.conv.graph_mix_conv import GraphMixConv
from symgnn_pyg.typing import GraphLike, SkeletonLike


class JointGraphConv(GraphMixConv):
    r"""The joint-scale graph convolution (JGC), equation (5) of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper:

    .. math::
        \textrm{JGC}(\mathbf{X}) = \lambda \, \textrm{AGC}(\mathbf{X}) +
        \textrm{SGC}(\mathbf{X})

    The sum is one operator over :math:`L + 1` graphs: the :math:`L` hops of
    :class:`~symgnn_pyg.nn.StructuralGraphConv`, then the actional graph of
    :class:`~symgnn_pyg.nn.ActionalGraphConv`.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton, or several skeletons with separate masks and
            shared weights, or :obj:`None` for a layer without masks that takes
            edges.
        num_hops: The number of hops :math:`L`. (default: :obj:`3`)
        lambda_: The weight :math:`\lambda` of the actional graph. The paper
            does not specify it; the default comes from other work of its
            authors. (default: :obj:`0.5`)
        use_structural: If set to :obj:`False`, only the actional graph is used.
            (default: :obj:`True`)
        use_actional: If set to :obj:`False`, only structural graphs are used.
            (default: :obj:`True`)

    Raises:
        ValueError: If :obj:`use_structural` and :obj:`use_actional` are both
            :obj:`False`, or :obj:`num_hops` is less than 1.

    Shapes:
        - **input:** node features :math:`[\sum_n V_n, *, C_{in}]`,
          actional graphs :math:`[N, V, V]`
        - **output:** node features :math:`[\sum_n V_n, *, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike | None = None,
        *,
        num_hops: int = 3,
        lambda_: float = 0.5,
        use_structural: bool = True,
        use_actional: bool = True,
    ) -> None:
        if not (use_structural or use_actional):
            raise ValueError(
                "At least one of 'use_structural' and 'use_actional' must be "
                "True"
            )
        adjacency = None
        if use_structural:
            check_sizes(1, num_hops=num_hops)
            adjacency = per_skeleton(
                skeleton, lambda s: s.hop_powers(num_hops, torch.double)
            )
        num_graphs = num_hops * use_structural + use_actional
        super().__init__(
            in_channels, out_channels, num_graphs, adjacency=adjacency
        )
        self.lambda_ = lambda_
        self.use_structural = use_structural
        self.use_actional = use_actional

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        actional: GraphLike | None = None,
        edge_index: Adj | None = None,
        edge_weight: Tensor | None = None,
        skeleton_type: Sequence[int] | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[\sum_n V_n, *, C_{in}]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`, or a
                sequence of :math:`N` matrices :math:`[V_n, V_n]`.
            edge_index: Edges :math:`[2, |E|]`, instead of the skeleton, for
                any other graph.
            edge_weight: The weights of the edges :math:`[|E|, L]`
                (see :func:`~symgnn_pyg.nn.hop_edges`). If :obj:`actional` is
                not given, a further column holds the actional graph on the
                same edges, already multiplied by :math:`\lambda`.
            skeleton_type: For a layer of several skeletons, the index of the
                skeleton of each sample, as Python integers.

        Raises:
            ValueError: If :obj:`actional` is missing, or given to a layer that
                does not use actional graphs.
        """
        if edge_index is None:
            graphs = self.graphs(actional, skeleton_type)
            return super().forward(x, graphs, None, edge_weight)
        check_no_skeleton_type(skeleton_type)
        if actional is None:
            if (
                self.use_actional
                and self.use_structural
                and edge_weight is not None
                and edge_weight.shape[1:] == (self.weight.size(0) - 1,)
            ):
                self._check_actional(None)
            return super().forward(x, None, edge_index, edge_weight)
        self._check_actional(actional)
        check_tensor(x)
        if not self.use_structural:
            # Raises an error: both would be the actional graph.
            return super().forward(x, self._scaled(actional), edge_index)
        structural, own = self.weight[:-1], self.weight[-1:]
        out = self._propagate_all(x, edge_index, edge_weight, structural)
        return out + self._mix(x, self._scaled(actional), own)

    def graphs(
        self,
        actional: GraphLike | None,
        skeleton_type: Sequence[int] | None = None,
    ) -> list[GraphLike]:
        r"""All graphs of the layer for :meth:`mix`: the masked hops, followed
        by the actional graph times :math:`\lambda`.

        Args:
            actional: The actional graphs.
            skeleton_type: The index of the skeleton of each sample.

        Raises:
            ValueError: If :obj:`actional` is missing, or given to a layer that
                does not use actional graphs, or the layer has no skeleton.
        """
        self._check_actional(actional)
        if self.use_structural and self.masked_graph is None:
            raise ValueError(
                "Expected 'edge_index', since the layer has no skeleton, got "
                "None"
            )
        return [*self._own_graphs(skeleton_type), *self._scaled(actional)]

    def _check_actional(self, actional: GraphLike | None) -> None:
        if self.use_actional != (actional is not None):
            raise ValueError(
                "Expected 'actional' graphs of shape [N, V, V], got None; for "
                "a layer without them, set 'use_actional' to False"
                if self.use_actional
                else "Expected no 'actional' graphs, since 'use_actional' is "
                "False, got some"
            )

    def _scaled(self, actional: GraphLike | None) -> list[GraphLike]:
        if actional is None:
            return []
        if isinstance(actional, Tensor):
            return [self.lambda_ * actional]
        return [[self.lambda_ * matrix for matrix in actional]]

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter, UninitializedParameter
from torch.nn.parameter import is_lazy
from torch_geometric.nn import MessagePassing
from torch_geometric.nn.inits import glorot, reset
from torch_geometric.typing import Adj, OptTensor
from torch_geometric.utils import is_sparse, spmm

from symgnn_pyg import ops
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn.batch import (
    all_pairs,
    check_no_skeleton_type,
    check_skeleton_type,
    check_tensor,
)
from symgnn_pyg.nn.conv.hooks import has_message_hooks
from symgnn_pyg.nn.conv.masked_graph import MaskedGraph, MaskedGraphs
from symgnn_pyg.nn.in_channels import set_in_channels
from symgnn_pyg.typing import GraphLike


class GraphMixConv(MessagePassing):
    r"""The operator that the graph convolutions of the `"Symbiotic Graph
    Neural Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper have in common:

    .. math::
        \mathbf{Y} = \sum_{k=1}^{K} \mathbf{A}_k \mathbf{X} \mathbf{W}_k

    Its node-wise formulation is given by:

    .. math::
        \mathbf{y}_i = \sum_{k=1}^{K} \mathbf{W}_k^{\top} \sum_{j \in
        \mathcal{N}(i)} e_{j,i}^{(k)} \mathbf{x}_j

    Graphs are dense matrices :math:`[V, V]` or :math:`[N, V, V]`, which are
    passed to :func:`symgnn_pyg.ops.graph_mix`, or edges with :math:`K` weights
    each, which are passed to :func:`symgnn_pyg.ops.edge_mix`. Both give the
    same results. If messages are needed, for a hook or for
    :obj:`torch_geometric.explain`, the layer converts matrices to edges and
    propagates along them.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.
        num_graphs: The number of graphs :math:`K`.
        adjacency: Fixed graphs of the layer, of shape :math:`[K', V, V]`, with
            a trainable element-wise mask, or one such tensor for each of
            several skeletons. (default: :obj:`None`)

    Raises:
        ValueError: If a size or :obj:`num_graphs` is less than 1.

    Shapes:
        - **input:** node features :math:`[\sum_n V_n, *, C_{in}]`
        - **output:** node features :math:`[\sum_n V_n, *, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_graphs: int = 1,
        *,
        adjacency: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__(aggr="sum", node_dim=0)
        set_in_channels(self, in_channels, "weight")
        check_sizes(1, out_channels=out_channels, num_graphs=num_graphs)
        self.out_channels = out_channels
        self.num_graphs = num_graphs
        # A module named `graph` could not be exported.
        self.masked_graph: MaskedGraph | MaskedGraphs | None = None
        if isinstance(adjacency, Tensor):
            self.masked_graph = MaskedGraph(adjacency)
        elif adjacency is not None:
            self.masked_graph = MaskedGraphs(adjacency)
        self.weight = (
            UninitializedParameter()
            if in_channels == -1
            else Parameter(torch.empty(num_graphs, in_channels, out_channels))
        )
        self.reset_parameters()

    def initialize_parameters(self, in_channels: int) -> None:
        assert isinstance(self.weight, UninitializedParameter)
        self.weight.materialize(
            (self.num_graphs, in_channels, self.out_channels)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        if not is_lazy(self.weight):
            glorot(self.weight)
        reset(self.masked_graph)

    def forward(
        self,
        x: Tensor,
        graphs: Tensor | Sequence[GraphLike] | None = None,
        edge_index: Adj | None = None,
        edge_weight: Tensor | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[\sum_n V_n, *, C_{in}]`.
            graphs: The :math:`K` graphs, as
                :func:`symgnn_pyg.ops.graph_mix` takes them.
            edge_index: Instead of :obj:`graphs`: the edges of shape
                :math:`[2, |E|]`, or for :math:`K = 1` a sparse transposed
                adjacency matrix.
            edge_weight: The edges' weights, of shape :math:`[|E|, K]`, or
                :math:`[|E|]` for :math:`K = 1`. (default: all ones)

        Raises:
            TypeError: If :obj:`x` is a pair, as of bipartite graphs.
            ValueError: If shapes do not fit, or neither or both of
                :obj:`graphs` and :obj:`edge_index` are given.
        """
        check_tensor(x)
        if (graphs is None) == (edge_index is None):
            raise ValueError(
                f"Expected '{self.__class__.__name__}' to have either graphs, "
                f"of its skeleton or passed in the call, or 'edge_index', got "
                f"{'neither' if graphs is None else 'both'}"
            )
        if edge_index is None and edge_weight is not None:
            raise ValueError(
                "Expected 'edge_weight' only together with 'edge_index', got "
                "it without"
            )
        if graphs is not None:
            return self.mix(x, graphs)
        assert edge_index is not None
        return self._propagate_all(x, edge_index, edge_weight, self.weight)

    def mix(self, x: Tensor, graphs: Tensor | Sequence[GraphLike]) -> Tensor:
        r"""Runs the forward pass on the given graphs only, without the fixed
        graphs of the layer.

        Args:
            x: Node features, of shape :math:`[\sum_n V_n, *, C_{in}]`.
            graphs: All :math:`K` graphs, as
                :func:`symgnn_pyg.ops.graph_mix` takes them.

        Raises:
            ValueError: If shapes do not fit.
        """
        check_tensor(x)
        return self._mix(x, graphs, self.weight)

    def _mix(
        self, x: Tensor, graphs: Tensor | Sequence[GraphLike], weight: Tensor
    ) -> Tensor:
        if not self._messages_wanted():
            # Skeletons are small and dense in hops: matrices beat messages
            # (`python -m benchmarks.operators`).
            return ops.graph_mix(x, graphs, weight)
        edge_index, edge_weight = _to_edges(x, graphs, weight)
        mask = self._edge_mask
        if mask is not None and mask.numel() != edge_index.size(1):
            raise ValueError(
                f"An explainer's mask of {mask.numel()} edges does not fit the "
                f"{edge_index.size(1)} messages of "
                f"'{self.__class__.__name__}': give the explainer the complete "
                f"graph of each sample, every pair of its nodes, as "
                f"'edge_index'"
            )
        return self._propagate_all(x, edge_index, edge_weight, weight)

    def message(self, x_j: Tensor, edge_weight: OptTensor) -> Tensor:
        if edge_weight is None:
            return x_j
        return edge_weight.view(-1, *[1] * (x_j.dim() - 1)) * x_j

    def message_and_aggregate(self, adj_t: Adj, x: Tensor) -> Tensor:
        return spmm(adj_t, x.flatten(1), reduce="sum").view(-1, *x.shape[1:])

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.in_channels}, "
            f"{self.out_channels}, num_graphs={self.num_graphs})"
        )

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        # A weight without a shape cannot be detached.
        keep_vars = keep_vars or is_lazy(self.weight)
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _propagate_all(
        self,
        x: Tensor,
        edge_index: Adj,
        edge_weight: Tensor | None,
        weight: Tensor,
    ) -> Tensor:
        if is_sparse(edge_index):
            shape = edge_index.size(0), edge_index.size(1)
            if shape != (x.size(0), x.size(0)):
                raise ValueError(
                    f"Expected a square adjacency matrix of the {x.size(0)} "
                    f"nodes in 'x', got shape {list(shape)}; edges from one "
                    f"set of nodes to another are not supported"
                )
        edge_weight = self._edge_weights(
            edge_index, edge_weight, weight.size(0)
        )
        is_edges = isinstance(edge_index, Tensor) and not is_sparse(edge_index)
        if is_edges and not self._messages_wanted():
            # Messages are as wide as sequences are long: summing features as
            # they are read beats them (`python -m benchmarks.edges`).
            return ops.edge_mix(x, edge_index, edge_weight, weight)
        weights: Sequence[Tensor | None] = [None]
        if edge_weight is not None:
            weights = edge_weight.unbind(-1)
        # Subclasses inherit the `propagate` that PyG generates for a class, and
        # only the original one applies the masks of explainers.
        propagate = super().propagate if self.explain else self.propagate
        out = x.new_zeros(())
        for e, w in zip(weights, weight, strict=True):
            # propagate_type: (x: Tensor, edge_weight: OptTensor)
            mixed = propagate(edge_index, x=x, edge_weight=e)
            out = out + mixed @ w
        return out

    def _edge_weights(
        self, edge_index: Adj, edge_weight: Tensor | None, num_graphs: int
    ) -> Tensor | None:
        if edge_weight is None and num_graphs == 1:
            if self.masked_graph is not None and not is_sparse(edge_index):
                raise ValueError(
                    f"Expected 'edge_weight' for the 'edge_index' of another "
                    f"graph than the skeleton of this "
                    f"'{self.__class__.__name__}', got None; to use the "
                    f"skeleton, pass neither"
                )
            return None
        if edge_weight is not None and edge_weight.dim() == 1:
            edge_weight = edge_weight.unsqueeze(-1)
        if (
            edge_weight is None
            or not isinstance(edge_index, Tensor)
            or edge_index.layout != torch.strided
            or edge_weight.shape != (edge_index.size(1), num_graphs)
        ):
            got = None if edge_weight is None else list(edge_weight.shape)
            raise ValueError(
                f"Expected 'edge_index' of shape [2, E] with 'edge_weight' of "
                f"shape [E, {num_graphs}], one weight per edge and graph, got "
                f"{got}; `hop_edges` computes both"
            )
        return edge_weight

    def _own_graphs(
        self, skeleton_type: Sequence[int] | None
    ) -> Sequence[GraphLike]:
        if isinstance(self.masked_graph, MaskedGraphs):
            return self.masked_graph(
                check_skeleton_type(skeleton_type, len(self.masked_graph))
            )
        check_no_skeleton_type(skeleton_type)
        return () if self.masked_graph is None else self.masked_graph()

    def _messages_wanted(self) -> bool:
        return bool(self.explain) or has_message_hooks(self)


def _to_edges(
    x: Tensor, graphs: Tensor | Sequence[GraphLike], weight: Tensor
) -> tuple[Tensor, Tensor]:
    stacks = ops.stack_graphs(x, graphs, weight)  # [N, K, V, V] each
    weights = [stack.movedim(1, -1).flatten(0, 2) for stack in stacks]
    groups = [(stack.size(0), stack.size(2)) for stack in stacks]
    return all_pairs(groups, x.device), torch.cat(weights)

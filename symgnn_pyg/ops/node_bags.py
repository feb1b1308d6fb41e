from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag
from torch_geometric.index import index2ptr

# So much of the features is made by a core at a time. Less would stay in nearer
# caches, but the cores wait for each other at the end of each run.
BLOCK_BYTES = 2**22


@dataclass
class NodeBags:
    r"""The edges of a run of nodes, sorted by these nodes: the bag of a node
    holds its neighbours, whose features are weighted and summed as they are
    read, so that there is never one row an edge.

    Args:
        nodes: The run of nodes.
        ptr: The begin and end of each bag, of shape :math:`[B + 1]`.
        node: The node of each edge, counted from the first of the run.
        neighbor: The other end of each edge.
        edge: The place of each edge in the list that was sorted.
        weights: The weights of these edges, one tensor a graph.
    """

    nodes: slice
    ptr: Tensor
    node: Tensor
    neighbor: Tensor
    edge: Tensor
    weights: tuple[Tensor, ...] | None

    def sum(self, features: Tensor, graph: int) -> Tensor:
        r"""The weighted sums of the neighbours' rows of :obj:`features`
        :math:`[M, F]`, of shape :math:`[B, F]`.
        """
        weights = self.weights
        return embedding_bag(
            self.neighbor,
            features,
            self.ptr,
            mode="sum",
            per_sample_weights=None if weights is None else weights[graph],
            include_last_offset=True,
        )

    def dot(self, rows: Tensor, features: Tensor) -> Tensor:
        r"""For each edge, the dot product of its node's row of :obj:`rows`
        :math:`[B, F]` and its neighbour's row of :obj:`features`
        :math:`[M, F]`: the gradient of :meth:`sum` to the weights.
        """
        backward = torch.ops.aten._embedding_bag_per_sample_weights_backward
        out: Tensor = backward(
            rows, features, self.neighbor, self.ptr[:-1], self.node, mode=0
        )
        return out


def node_bags(
    node: Tensor,
    neighbor: Tensor,
    edge_weight: Tensor | None,
    features: Tensor,
) -> list[NodeBags]:
    r"""Sorts edges into runs of as many nodes as have rows of
    :obj:`features` that fit the cache.

    Args:
        node: The ends to sort by, of shape :math:`[|E|]`.
        neighbor: The other ends, of shape :math:`[|E|]`.
        edge_weight: The edges' weights, of shape :math:`[|E|, K]`.
        features: What the sums will be like, of shape :math:`[M, F]`.
    """
    num_nodes, num_edges = features.size(0), node.numel()
    node, edge = node.sort()
    neighbor, ptr = neighbor[edge], index2ptr(node, num_nodes)
    columns: Tensor | None = None
    if edge_weight is not None:
        columns = edge_weight[edge].t().contiguous()  # [K, E]
    if features.device.type == "cpu":
        cores = torch.get_num_threads()
        size = max(1, cores * BLOCK_BYTES // features[0].nbytes)
        ends = ptr[size:-1:size].tolist()
    else:
        # To cut the edges, the pointer would have to be read back.
        size, ends = num_nodes, []
    bags, begin = [], 0
    for first, end in zip(
        range(0, num_nodes, size), [*ends, num_edges], strict=True
    ):
        here = slice(begin, end)
        bags.append(
            NodeBags(
                nodes=slice(first, first + size),
                ptr=ptr[first : first + size + 1] - begin,
                node=node[here] - first,
                neighbor=neighbor[here],
                edge=edge[here],
                weights=None if columns is None else columns[:, here].unbind(),
            )
        )
        begin = end
    return bags

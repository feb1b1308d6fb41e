import torch
from torch import Tensor
from torch_geometric.utils import add_remaining_self_loops, scatter

from symgnn_pyg import ops


def hop_edges(
    edge_index: Tensor, num_nodes: int, num_hops: int
) -> tuple[Tensor, Tensor]:
    r"""Computes the powers :math:`\tilde{A}^1, \ldots, \tilde{A}^L` of the
    row-normalised adjacency matrix of any graph with self-loops, as edges with
    :math:`L` weights each. :class:`~symgnn_pyg.nn.StructuralGraphConv` takes
    them for graphs other than skeletons.

    Args:
        edge_index: The edges, of shape :math:`[2, |E|]`.
        num_nodes: The number of nodes.
        num_hops: The number of hops :math:`L`, at least 1.

    Returns:
        The edges of the widest hop :math:`[2, |E'|]` and their weights
        :math:`[|E'|, L]`.

    Raises:
        ValueError: If :obj:`num_hops` is smaller than 1, or
            :obj:`edge_index` does not hold edges between the nodes.
    """
    if num_hops < 1:
        raise ValueError(f"'num_hops' must be at least 1, got {num_hops}")
    ops.check_edge_index(edge_index, num_nodes)
    edge_index, _ = add_remaining_self_loops(edge_index, num_nodes=num_nodes)
    edge_index = torch.unique(edge_index, dim=1)
    target = edge_index[1]
    # Double precision, rounded once at the end as in `Skeleton.hop_powers`.
    ones = torch.ones(target.numel(), device=target.device).double()
    degree = scatter(ones, target, dim_size=num_nodes)
    size = (num_nodes, num_nodes)
    hop = torch.sparse_coo_tensor(
        edge_index.flip(0), ones / degree[target], size
    ).coalesce()
    powers = [hop]
    while len(powers) < num_hops:
        powers.append(torch.sparse.mm(hop, powers[-1]).coalesce())
    # With self-loops the last hop holds every edge of the hops before it.
    widest = powers[-1].indices()
    key = widest[0] * num_nodes + widest[1]
    edge_weight = torch.zeros(key.numel(), num_hops, device=key.device)
    for column, power in enumerate(powers):
        row, col = power.indices()
        at = torch.searchsorted(key, row * num_nodes + col)
        edge_weight[at, column] = power.values().to(edge_weight.dtype)
    return widest.flip(0), edge_weight

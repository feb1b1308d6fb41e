import warnings

import torch
from torch import Tensor
from torch_geometric.utils import add_remaining_self_loops, coalesce, scatter

from symgnn_pyg import ops
from symgnn_pyg.errors import check_sizes


def hop_edges(
    edge_index: Tensor,
    num_nodes: int,
    num_hops: int,
    *,
    edge_weight: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Computes the powers :math:`\tilde{A}^1, \ldots, \tilde{A}^L` of the
    row-normalised adjacency matrix of any graph with self-loops, as edges with
    :math:`L` weights each. :class:`~symgnn_pyg.nn.StructuralGraphConv` takes
    them for graphs other than skeletons. A node without a self-loop gets one of
    weight 1, so that an isolated node keeps its own features.

    Args:
        edge_index: The edges, of shape :math:`[2, |E|]`.
        num_nodes: The number of nodes.
        num_hops: The number of hops :math:`L`, at least 1.
        edge_weight: The weights of the edges, of shape :math:`[|E|]`, positive.
            Those of an edge that occurs several times are added up. Without
            weights it counts once. (default: all ones)

    Returns:
        The edges of the widest hop :math:`[2, |E'|]` and their weights
        :math:`[|E'|, L]`.

    Raises:
        TypeError: If a number is not an integer, or :obj:`edge_index` is not a
            tensor.
        ValueError: If :obj:`num_hops` is smaller than 1,
            :obj:`edge_index` does not hold edges between the nodes, or
            :obj:`edge_weight` does not hold one positive number per edge.
    """
    check_sizes(1, num_hops=num_hops)
    check_sizes(0, num_nodes=num_nodes)
    ops.check_edge_index(edge_index, num_nodes)
    if edge_weight is None:
        edge_index = coalesce(edge_index, num_nodes=num_nodes)
        weight = torch.ones(edge_index.size(1), device=edge_index.device)
    else:
        if edge_weight.shape != edge_index.shape[1:]:
            raise ValueError(
                f"Expected 'edge_weight' of shape [{edge_index.size(1)}], one "
                f"weight per edge, got {list(edge_weight.shape)}"
            )
        wrong = ~((edge_weight > 0) & edge_weight.isfinite())
        if wrong.any():
            edge = int(wrong.nonzero()[0])
            raise ValueError(
                f"'edge_weight' must hold positive numbers, got "
                f"{float(edge_weight[edge]):g} for edge {edge}; leave out "
                f"edges without weight"
            )
        edge_index, weight = coalesce(
            edge_index, edge_weight.double(), num_nodes
        )
    # Double precision, rounded once at the end as in `Skeleton.hop_powers`.
    edge_index, weight = add_remaining_self_loops(
        edge_index, weight.double(), num_nodes=num_nodes
    )
    target = edge_index[1]
    degree = scatter(weight, target, dim_size=num_nodes)
    with warnings.catch_warnings():
        # Sparse products warn that the CSR format, which they use, is new, and
        # old versions of torch that `coalesce` does not check again.
        warnings.filterwarnings("ignore", "Sparse (CSR|invariant)")
        hop = torch.sparse_coo_tensor(
            edge_index.flip(0),
            weight / degree[target],
            (num_nodes, num_nodes),
            check_invariants=True,
        ).coalesce()
        powers = [hop]
        while len(powers) < num_hops:
            powers.append(torch.sparse.mm(hop, powers[-1]).coalesce())
    # With self-loops the last hop holds every edge of the hops before it, so
    # adding zeros on its edges gives all of them the same edges.
    last = powers[-1]
    weights = [(power + 0 * last).coalesce().values() for power in powers]
    hop_weight = torch.stack(weights, dim=1).to(torch.get_default_dtype())
    return last.indices().flip(0), hop_weight

"""What :func:`graph_mix` and :func:`edge_mix` do with their arguments first."""

import torch
from torch import Tensor


def check_features(x: Tensor, weight: Tensor) -> None:
    r"""Checks that features fit the weights."""
    if weight.dim() != 3 or weight.size(0) == 0:
        raise ValueError(
            f"Expected 'weight' of shape [K, C_in, C_out] with at least one "
            f"graph, got shape {list(weight.shape)}"
        )
    if x.dim() < 2 or x.size(-1) != weight.size(1):
        raise ValueError(
            f"Expected 'x' with {weight.size(1)} channels in its last "
            f"dimension, got shape {list(x.shape)}"
        )


def autocast_dtype(x: Tensor) -> torch.dtype | None:
    r"""The type that autocast converts features to, if it is on. As in torch,
    double precision stays.
    """
    kind = x.device.type
    # There is no autocast on "meta", and torch raises an error if asked.
    if (
        x.dtype == torch.float64
        or x.is_meta
        or not torch.is_autocast_enabled(kind)
    ):
        return None
    return torch.get_autocast_dtype(kind)


def check_edge_index(edge_index: Tensor, num_nodes: int | None = None) -> None:
    r"""Checks that a tensor is a list of edges.

    Args:
        edge_index: The edges.
        num_nodes: The number of nodes, to check that edges join nodes that
            exist. This reads the edges, which synchronises with a GPU.
            (default: not checked)

    Raises:
        TypeError: If it is not a tensor.
        ValueError: If the shape is not :math:`[2, |E|]`, the type is not
            :obj:`torch.int64`, or an edge joins nodes that do not exist; the
            message names the first such edge.
    """
    if not isinstance(edge_index, Tensor):
        raise TypeError(
            f"Expected 'edge_index' to be a torch.Tensor, got "
            f"{type(edge_index).__name__}"
        )
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise ValueError(
            f"Expected 'edge_index' of shape [2, E], got "
            f"{list(edge_index.shape)}"
        )
    if edge_index.dtype != torch.int64:
        raise ValueError(
            f"Expected 'edge_index' of type torch.int64, got {edge_index.dtype}"
        )

    if num_nodes is None or edge_index.numel() == 0:
        return
    low, high = edge_index.aminmax()
    if low < 0 or high >= num_nodes:
        outside = (edge_index < 0) | (edge_index >= num_nodes)
        edge = int(outside.any(dim=0).nonzero()[0])
        source, target = edge_index[:, edge].tolist()
        raise ValueError(
            f"Expected 'edge_index' to hold nodes below {num_nodes}, the "
            f"number of nodes, got edge {edge} from node {source} to node "
            f"{target}"
        )

import torch
from torch import Tensor


def check_edge_index(edge_index: Tensor) -> None:
    r"""Refuses what is no list of edges.

    Raises:
        ValueError: If the shape is not :math:`[2, |E|]` or the type not
            :obj:`torch.int64`.
    """
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise ValueError(
            f"Expected 'edge_index' of shape [2, E], got "
            f"{list(edge_index.shape)}"
        )
    if edge_index.dtype != torch.int64:
        raise ValueError(
            f"Expected 'edge_index' of type torch.int64, got {edge_index.dtype}"
        )


def check_nodes(edge_index: Tensor, num_nodes: int) -> None:
    r"""Refuses edges that join other nodes than the first
    :obj:`num_nodes`; reads the edges from their device.

    Raises:
        ValueError: If there is one; the message names it.
    """
    if edge_index.numel() == 0:
        return
    low, high = edge_index.aminmax()
    if low < 0 or high >= num_nodes:
        outside = (edge_index < 0) | (edge_index >= num_nodes)
        edge = int(outside.any(dim=0).nonzero()[0])
        source, target = edge_index[:, edge].tolist()
        raise ValueError(
            f"Edge {edge} of 'edge_index' joins the nodes {source} and "
            f"{target}, but there are only the nodes 0 to "
            f"{num_nodes - 1}"
        )

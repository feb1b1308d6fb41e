import torch
from torch import Tensor


def check_edge_index(edge_index: Tensor) -> None:
    r"""Refuses a tensor that is not a list of edges.

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
    r"""Refuses edges between nodes that do not exist. It reads the edges,
    for which a GPU has to be waited for.

    Raises:
        ValueError: If there is such an edge; the message names the first.
    """
    if edge_index.numel() == 0:
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

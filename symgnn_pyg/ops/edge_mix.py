import torch
from torch import Tensor

from symgnn_pyg.ops.edge_index import check_edge_index
from symgnn_pyg.ops.edge_kernel import edge_mix_kernel
from symgnn_pyg.ops.plain_code import needs_plain_code


def edge_mix(
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> Tensor:
    r"""The operator of :func:`graph_mix` on arbitrary edges:

    .. math::
        \mathbf{y}_i = \sum_{k=1}^{K} \sum_{(j,i) \in \mathcal{E}}
        e_{j,i}^{(k)} \, \mathbf{x}_j \mathbf{W}_k

    Edges may come in any order and more than once; a node that no edge leads
    to gets zeros. The messages of the edges are never held in memory, neither
    in the forward nor in the backward pass nor in that of the second
    derivatives; only the inputs are kept.

    Args:
        x: Node features, of shape :math:`[M, *, C_{in}]`.
        edge_index: The edges, of shape :math:`[2, |E|]`: sources, then
            targets.
        edge_weight: The edges' weights, of shape :math:`[|E|, K]`, which are
            taken in the type of :obj:`x`, or :obj:`None` for ones
            (:math:`K = 1`).
        weight: The weights, of shape :math:`[K, C_{in}, C_{out}]`.

    Returns:
        The new features, of shape :math:`[M, *, C_{out}]`.

    Raises:
        ValueError: If the shapes or types do not fit, or, on the CPU, if an
            edge joins nodes that :obj:`x` does not have; the message names
            them.
    """
    _check(x, edge_index, edge_weight, weight)
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight = _cast(x, dtype), _cast(weight, dtype)
    if x.dtype != weight.dtype:
        raise ValueError(
            f"Expected 'x' and 'weight' of one type, got {x.dtype} and "
            f"{weight.dtype}"
        )
    if edge_weight is not None:
        edge_weight = edge_weight.to(x.dtype)
    if needs_plain_code():
        return _plain(x, edge_index, edge_weight, weight)
    out: Tensor = edge_mix_kernel(x, edge_index, edge_weight, weight)
    return out


def _plain(
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> Tensor:
    # An exported program must run where this package is absent.
    source, target = edge_index
    out = x.new_zeros(*x.shape[:-1], weight.size(-1))
    for k, w in enumerate(weight):
        message = (x @ w).index_select(0, source)  # [E, *, C_out]
        if edge_weight is not None:
            shape = (-1, *[1] * (x.dim() - 1))
            message = edge_weight[:, k].view(shape) * message
        out = out.index_add(0, target, message)
    return out


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.to(dtype)


def _check(
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> None:
    if weight.dim() != 3 or weight.size(0) == 0:
        raise ValueError(
            f"Expected 'weight' of shape [K, C_in, C_out] with K >= 1, got "
            f"{list(weight.shape)}"
        )
    if x.dim() < 2 or x.size(-1) != weight.size(1):
        raise ValueError(
            f"Expected 'x' with {weight.size(1)} channels in its last "
            f"dimension, got shape {list(x.shape)}"
        )
    check_edge_index(edge_index)
    expected = (edge_index.size(1), weight.size(0))
    if edge_weight is None and weight.size(0) != 1:
        raise ValueError(
            f"'edge_weight' of shape {list(expected)} is due for the "
            f"{weight.size(0)} graphs of 'weight', got None"
        )
    if edge_weight is not None and edge_weight.shape != expected:
        raise ValueError(
            f"Expected 'edge_weight' of shape {list(expected)}, one weight an "
            f"edge for each graph, got {list(edge_weight.shape)}"
        )

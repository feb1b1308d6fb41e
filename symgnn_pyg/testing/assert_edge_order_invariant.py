from collections.abc import Mapping
from typing import Any

from torch.nn import Module

from symgnn_pyg.modes import evaluation
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import (
    Inputs,
    check_nonzero,
    evaluate,
    gradient_of,
)
from symgnn_pyg.testing.kinds import check_kinds, random_order


def assert_edge_order_invariant(
    layer: Module,
    inputs: Inputs,
    kinds_in: Mapping[str, str],
    seed: int = 0,
    rtol: float | None = None,
) -> None:
    r"""Asserts that the order of edges affects neither the values of a layer
    nor the gradients to its inputs, in evaluation mode.

    Args:
        layer: The layer. It is not modified.
        inputs: The arguments of the layer by name.
        kinds_in: The arguments that hold edges: :obj:`"edge_index"` for edges
            :math:`[2, |E|]`, :obj:`"edge"` for one row per edge
            :math:`[|E|, *]`. All other arguments stay unchanged.
        seed: The seed of the new order. (default: :obj:`0`)
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)

    Raises:
        AssertionError: If the order of edges matters.
        ValueError: If no argument is an :obj:`"edge_index"`, or the layer
            returns only zeros.

    Example:
        >>> assert_edge_order_invariant(
        ...     GCNConv(3, 8),
        ...     {"x": torch.randn(26, 3), "edge_index": skeleton.edge_index},
        ...     {"edge_index": "edge_index"},
        ... )
    """
    check_kinds(kinds_in)
    if "edge_index" not in kinds_in.values():
        raise ValueError(
            f"'kinds_in' must name an argument that is an 'edge_index', got "
            f"{dict(kinds_in)}"
        )
    dims = {"edge_index": 1, "edge": 0}
    edges = {n: dims[kind] for n, kind in kinds_in.items() if kind in dims}
    edges |= {gradient_of(name): dim for name, dim in edges.items()}

    def shuffle(values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value.index_select(
                edges[name], random_order(value.size(edges[name]), seed)
            )
            if name in edges
            else value
            for name, value in values.items()
        }

    with evaluation(layer):
        expected = evaluate(layer, inputs)
        found = evaluate(layer, shuffle(inputs))
    check_nonzero(layer, expected)
    broken = f"{type(layer).__name__} is not edge order invariant"
    compare(found, shuffle(expected), broken, rtol)

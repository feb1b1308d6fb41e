import copy

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import (
    Inputs,
    check_nonzero,
    evaluate,
    no_errors,
)


def assert_compile_parity(
    layer: Module,
    inputs: Inputs,
    backend: str = "aot_eager",
    rtol: float | None = None,
) -> None:
    r"""Asserts that a layer compiles without graph breaks
    (:obj:`torch.compile(fullgraph=True)`), and that the compiled layer
    computes the same values, gradients to inputs and weights, and buffers.
    The layer stays in its current mode, training or evaluation.

    Args:
        layer: The layer. It is not modified. In training mode, it must not
            draw random numbers.
        inputs: The arguments of the layer by name.
        backend: The backend. :obj:`"eager"` tests the captured graph,
            :obj:`"aot_eager"` the graph and its derivative, and
            :obj:`"inductor"` the generated code, which takes longer.
            (default: :obj:`"aot_eager"`)
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)

    Raises:
        AssertionError: If the layer does not compile, or the results differ.
        ValueError: If the layer returns only zeros.

    Example:
        >>> assert_compile_parity(
        ...     StructuralGraphConv(3, 8, skeleton),
        ...     {"x": torch.randn(52, 50, 3)},
        ... )
    """
    name = type(layer).__name__
    plain, other = copy.deepcopy(layer), copy.deepcopy(layer)
    expected = evaluate(plain, inputs, _weights(plain))
    check_nonzero(layer, expected)
    torch.compiler.reset()
    compiled = torch.compile(other, fullgraph=True, backend=backend)
    with no_errors(f"{name} does not compile"):
        found = evaluate(compiled, inputs, _weights(other))
    compare(found, expected, f"{name} changes when it is compiled", rtol)
    compare(
        dict(other.named_buffers()),
        dict(plain.named_buffers()),
        f"{name} updates its buffers differently when it is compiled",
        rtol,
    )


def _weights(layer: Module) -> dict[str, Tensor]:
    weights = layer.named_parameters()
    return {name: weight for name, weight in weights if weight.requires_grad}

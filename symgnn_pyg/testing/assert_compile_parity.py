import copy

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import Inputs, evaluate, refuse_zeros


def assert_compile_parity(
    layer: Module,
    inputs: Inputs,
    backend: str = "aot_eager",
    rtol: float | None = None,
) -> None:
    r"""Asserts that a layer compiles as a whole, by
    :obj:`torch.compile(fullgraph=True)`, and then does what it did before:
    values, gradients to inputs and weights, and what becomes of its buffers,
    in the mode that it is in.

    Args:
        layer: The layer. It stays as it is. In training mode it must not
            draw random numbers.
        inputs: The arguments of the layer by name.
        backend: The backend. :obj:`"eager"` tries what is captured,
            :obj:`"aot_eager"` its derivative, too, and :obj:`"inductor"`,
            which takes long, the code that is made of it.
            (default: :obj:`"aot_eager"`)
        rtol: The tolerance, relative to the largest number of a tensor.
            (default: by the type of the numbers)

    Raises:
        AssertionError: If the layer does not compile, or does something else.
        ValueError: If the layer returns nothing but zeros.

    Example:
        >>> assert_compile_parity(
        ...     StructuralGraphConv(3, 8, skeleton),
        ...     {"x": torch.randn(52, 50, 3)},
        ... )
    """
    name = type(layer).__name__
    plain, other = copy.deepcopy(layer), copy.deepcopy(layer)
    expected = evaluate(plain, inputs, _weights(plain))
    refuse_zeros(layer, expected)
    torch.compiler.reset()
    compiled = torch.compile(other, fullgraph=True, backend=backend)
    try:
        found = evaluate(compiled, inputs, _weights(other))
    except Exception as error:
        raise AssertionError(
            f"{name} does not compile: {type(error).__name__}: {error}"
        ) from error
    compare(found, expected, f"{name} compiled is another", rtol)
    compare(
        dict(other.named_buffers()),
        dict(plain.named_buffers()),
        f"{name} compiled leaves other buffers",
        rtol,
    )


def _weights(layer: Module) -> dict[str, Tensor]:
    weights = layer.named_parameters()
    return {name: weight for name, weight in weights if weight.requires_grad}

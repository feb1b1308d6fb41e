from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import Module

from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import (
    Inputs,
    evaluation,
    refuse_zeros,
    tensors,
)


def assert_export_parity(
    layer: Module,
    inputs: Inputs,
    dynamic_shapes: dict[str, Any] | None = None,
    others: Sequence[Inputs] = (),
    rtol: float | None = None,
) -> None:
    r"""Asserts that a layer can be exported, by :func:`torch.export.export`,
    and that the program gives what the layer gives in evaluation mode.

    Args:
        layer: The layer. It stays as it is.
        inputs: The arguments of the layer by name.
        dynamic_shapes: Which sizes of the arguments are free, by name, as
            :func:`torch.export.export` takes them. (default: none)
        others: Further arguments to try the program with, of other sizes
            where those are free. (default: none)
        rtol: The tolerance, relative to the largest number of a tensor.
            (default: by the type of the numbers)

    Raises:
        AssertionError: If the layer cannot be exported, or the program gives
            something else.
        ValueError: If the layer returns nothing but zeros.

    Example:
        >>> assert_export_parity(
        ...     TemporalConv(3, 8, 5),
        ...     {"x": torch.randn(26, 50, 3)},
        ...     {"x": {0: Dim("rows")}},
        ...     others=[{"x": torch.randn(52, 50, 3)}],
        ... )
    """
    name = type(layer).__name__
    with torch.no_grad(), evaluation(layer):
        tried = [inputs, *others]
        expected = [tensors(layer(**given)) for given in tried]
        refuse_zeros(layer, expected[0])
        try:
            program = torch.export.export(
                layer, (), dict(inputs), dynamic_shapes=dynamic_shapes
            ).module()
            found = [tensors(program(**given)) for given in tried]
        except Exception as error:
            raise AssertionError(
                f"{name} cannot be exported: {type(error).__name__}: {error}"
            ) from error
    for got, wanted in zip(found, expected, strict=True):
        compare(got, wanted, f"{name} exported is another", rtol)

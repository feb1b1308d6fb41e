from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import Module

from symgnn_pyg.modes import evaluation
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import (
    Inputs,
    check_nonzero,
    no_errors,
    tensors,
)


def assert_export_parity(
    layer: Module,
    inputs: Inputs,
    dynamic_shapes: dict[str, Any] | None = None,
    others: Sequence[Inputs] = (),
    rtol: float | None = None,
) -> None:
    r"""Asserts that a layer can be exported by :func:`torch.export.export`,
    and that the exported program returns the same values as the layer in
    evaluation mode.

    Args:
        layer: The layer. It is not modified.
        inputs: The arguments of the layer by name.
        dynamic_shapes: The dynamic sizes of the arguments by name, as in
            :func:`torch.export.export`. (default: none)
        others: Further arguments to run the program on, whose dynamic sizes
            may differ. (default: none)
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)

    Raises:
        AssertionError: If the layer cannot be exported, or the results differ.
        ValueError: If the layer returns only zeros.

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
        check_nonzero(layer, expected[0])
        with no_errors(f"{name} cannot be exported"):
            program = torch.export.export(
                layer, (), dict(inputs), dynamic_shapes=dynamic_shapes
            ).module()
            found = [tensors(program(**given)) for given in tried]
    for got, wanted in zip(found, expected, strict=True):
        compare(got, wanted, f"{name} changes when it is exported", rtol)

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import product

import torch
from torch import Tensor

from symgnn_pyg.testing.compare import TOLERANCE, compare
from symgnn_pyg.testing.evaluate import gradient_of, no_errors, tensors

Formula = Callable[..., object]
Arrange = Callable[[Tensor], Tensor]
Size = tuple[int, int, int, int]

# Samples, joints, frames and channels.
SIZES: Mapping[str, Size] = {
    "odd sizes": (3, 5, 7, 3),
    "N = 0": (0, 5, 7, 3),
    "N = 1": (1, 4, 2, 2),
    "V = 1": (3, 1, 4, 2),
    "T = 0": (3, 4, 0, 2),
    "T = 1": (3, 4, 1, 2),
    "C = 1": (2, 3, 4, 1),
    "huge N": (2_053, 3, 1, 2),
}
DTYPES = (torch.float64, torch.float32, torch.bfloat16)


def assert_formula_parity(
    formulas: Mapping[str, Formula],
    reference: Formula,
    inputs: Callable[[int, int, int, int], Mapping[str, object]],
    sizes: Mapping[str, Size] = SIZES,
    dtypes: Sequence[torch.dtype] = DTYPES,
    second: Collection[str] | None = None,
    rtol: float | None = None,
) -> None:
    r"""Asserts that all formulas of an operator agree with its reference in
    float64: in value, gradient and second derivative, for several data types,
    for contiguous and non-contiguous inputs, and at sizes that often break
    formulas. A formula must keep the data type of its inputs (half precision
    may become single precision) and must not modify them.

    Args:
        formulas: The formulas by name.
        reference: The formula that the others are compared with.
        inputs: A function that returns the arguments by name, in float64, for
            :math:`N` samples, :math:`V` joints, :math:`T` frames and :math:`C`
            channels. All floating-point tensors, including those in lists, are
            differentiated.
        sizes: The sizes :math:`(N, V, T, C)` by name. (default: odd sizes,
            sizes of 0 and 1, and many samples)
        dtypes: The data types. (default: float64, float32, bfloat16)
        second: The formulas that support second derivatives. (default: all)
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)

    Raises:
        AssertionError: If a formula fails or differs. The message names the
            formula, the size, the data type and the memory layout.

    Example:
        >>> assert_formula_parity(
        ...     {"mine": my_difference},
        ...     ops.difference,
        ...     lambda n, v, t, c: {"x": torch.randn(n * v, t, c).double()},
        ... )
    """
    for where, size in sizes.items():
        exact = inputs(*size)
        for dtype in dtypes:
            expected = _derivatives(reference, exact, dtype, _exact)
            for name, memory in product(formulas, MEMORY):
                broken = f"Formula {name!r} ({where}, {dtype}, {memory})"
                order = 2 if second is None or name in second else 1
                with no_errors(f"{broken} fails"):
                    found = _derivatives(
                        formulas[name], exact, dtype, MEMORY[memory], order
                    )
                _check_types(found, dtype, broken)
                wanted = {
                    key: tensor
                    for key, tensor in expected.items()
                    if order == 2 or not key.startswith("second derivative")
                }
                bound = TOLERANCE[dtype] if rtol is None else rtol
                compare(found, wanted, broken, bound)


def _exact(tensor: Tensor) -> Tensor:
    return tensor.double().clone()


def _non_contiguous(tensor: Tensor) -> Tensor:
    if tensor.dim() == 1:
        return torch.stack([tensor, tensor], dim=1)[:, 0]
    dims = [*reversed(range(tensor.dim()))]
    return tensor.permute(dims).contiguous().permute(dims)


MEMORY: Mapping[str, Arrange] = {
    "contiguous": Tensor.clone,
    "not contiguous": _non_contiguous,
}


def _derivatives(
    function: Formula,
    inputs: Mapping[str, object],
    dtype: torch.dtype,
    arrange: Arrange,
    order: int = 2,
) -> dict[str, Tensor]:
    leaves: dict[str, Tensor] = {}

    def wave(like: Tensor) -> Tensor:
        # Values between 0 and 2, so that long sums do not cancel.
        numbers = 1 + torch.arange(like.numel()).double().sin()
        return arrange(numbers.view(like.shape).to(dtype)).to(like.dtype)

    def prepare(name: str, value: object) -> object:
        if isinstance(value, Tensor) and value.is_floating_point():
            leaves[name] = arrange(value.to(dtype)).requires_grad_()
            return leaves[name]
        if isinstance(value, list):
            return [prepare(f"{name}[{i}]", v) for i, v in enumerate(value)]
        return value

    arguments = {name: prepare(name, value) for name, value in inputs.items()}
    before = {name: leaf.detach().clone() for name, leaf in leaves.items()}
    out = tensors(function(**arguments))
    towards = {
        f"gradient of the {name}": wave(t).requires_grad_()
        for name, t in out.items()
    }
    first = torch.autograd.grad(
        [*out.values()],
        [*leaves.values()],
        [*towards.values()],
        create_graph=order == 2,
        allow_unused=True,
        materialize_grads=True,
    )
    found = out | dict(zip(map(gradient_of, leaves), first, strict=True))
    if order == 2:
        inner = torch.stack([(g * wave(g)).sum() for g in first]).sum()
        at = leaves | towards
        again = torch.autograd.grad(
            inner, [*at.values()], allow_unused=True, materialize_grads=True
        )
        names = [f"second derivative to {name!r}" for name in at]
        found |= dict(zip(names, again, strict=True))
    compare(leaves, before, "It modifies its inputs", rtol=0.0)
    return found


def _check_types(
    found: Mapping[str, Tensor], dtype: torch.dtype, broken: str
) -> None:
    for name, tensor in found.items():
        wide = torch.promote_types(dtype, torch.float32)
        if tensor.dtype not in (dtype, wide):
            raise AssertionError(
                f"{broken}: expected the {name} to be of type {dtype}, got "
                f"{tensor.dtype}"
            )

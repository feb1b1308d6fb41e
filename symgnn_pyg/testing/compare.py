from collections.abc import Mapping

import torch
from torch import Tensor

# Relative to the largest value of a tensor.
TOLERANCE = {
    torch.float64: 1e-9,
    torch.float32: 1e-4,
    torch.float16: 5e-3,
    torch.bfloat16: 5e-2,
}
# Tolerances are relative to at least this value, since rounding errors remain
# where a result should be zero.
SMALL = 1e-1


def compare(
    found: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    broken: str,
    rtol: float | None = None,
) -> None:
    r"""Compares tensors by name.

    Args:
        found: The tensors to check.
        expected: The tensors that are expected.
        broken: The property that is violated if they differ, which begins the
            error message.
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)
    """
    if found.keys() != expected.keys():
        raise AssertionError(
            f"{broken}: expected the tensors {[*expected]}, got {[*found]}"
        )
    for name, want in expected.items():
        _compare(found[name], want, f"{broken}: the {name}", rtol)


def _compare(
    found: Tensor, expected: Tensor, broken: str, rtol: float | None
) -> None:
    if found.shape != expected.shape:
        raise AssertionError(
            f"{broken} should have shape {list(expected.shape)}, got "
            f"{list(found.shape)}"
        )
    if rtol is None:
        rtol = TOLERANCE.get(found.dtype, 0.0)
    got, want = (t.detach().double().flatten() for t in (found, expected))
    size = want[want.isfinite()].abs()
    bound = rtol * max(SMALL, float(size.max()) if size.numel() else 0.0)
    error = (got - want).abs().masked_fill(got == want, 0.0)
    wrong = ~(error <= bound)  # True for NaN.
    if not wrong.any():
        return
    worst = error.nan_to_num(torch.inf).argmax()
    place = [int(i) for i in torch.unravel_index(worst, found.shape)]
    raise AssertionError(
        f"{broken} of shape {list(found.shape)} is off by {error[worst]:.2g} "
        f"at {place}: expected {want[worst]:.6g}, got {got[worst]:.6g}; "
        f"{int(wrong.sum())} of {got.numel()} values are off by more than "
        f"{bound:.1g}"
    )

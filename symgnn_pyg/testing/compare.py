from collections.abc import Mapping

import torch
from torch import Tensor

# Relative to the largest number of a tensor.
TOLERANCE = {
    torch.float64: 1e-9,
    torch.float32: 1e-4,
    torch.float16: 5e-3,
    torch.bfloat16: 5e-2,
}
# A tensor of smaller numbers is taken for one of this size: where a result
# should be zero, rounding leaves something.
SMALL = 1e-1


def compare(
    found: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    broken: str,
    rtol: float | None = None,
) -> None:
    r"""Compares tensors by name.

    Args:
        found: What there is.
        expected: What there should be.
        broken: What it means if they differ: the beginning of the message.
        rtol: The tolerance, relative to the largest number of a tensor.
            (default: by the type of the numbers)

    Raises:
        AssertionError: If they differ; the message names the tensor, the
            place and the numbers.
    """
    if found.keys() != expected.keys():
        raise AssertionError(
            f"{broken}: there are the tensors {[*found]} instead of "
            f"{[*expected]}"
        )
    for name, want in expected.items():
        _compare(found[name], want, f"{broken}: the {name}", rtol)


def _compare(
    found: Tensor, expected: Tensor, broken: str, rtol: float | None
) -> None:
    if found.shape != expected.shape:
        raise AssertionError(
            f"{broken} has shape {list(found.shape)} instead of "
            f"{list(expected.shape)}"
        )
    if rtol is None:
        rtol = TOLERANCE.get(found.dtype, 0.0)
    got, want = (t.detach().double().flatten() for t in (found, expected))
    size = want[want.isfinite()].abs()
    bound = rtol * max(SMALL, float(size.max()) if size.numel() else 0.0)
    error = (got - want).abs().masked_fill(got == want, 0.0)
    wrong = ~(error <= bound)  # So is what is not a number.
    if not wrong.any():
        return
    worst = error.nan_to_num(torch.inf).argmax()
    place = [int(i) for i in torch.unravel_index(worst, found.shape)]
    raise AssertionError(
        f"{broken} of shape {list(found.shape)} is off by {error[worst]:.2g} "
        f"at {place}: {got[worst]:.6g} instead of {want[worst]:.6g}; "
        f"{int(wrong.sum())} of {got.numel()} numbers are off by more than "
        f"{bound:.1g}"
    )

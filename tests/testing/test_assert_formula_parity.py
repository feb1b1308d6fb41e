import pytest
import torch

from symgnn_pyg.testing import assert_formula_parity


def inputs(n, v, t, c):
    return {
        "x": torch.randn(n * v, t, c, dtype=torch.double),
        "weight": torch.randn(c, dtype=torch.double),
        "power": 2,
    }


def reference(x, weight, power):
    return weight * x**power


class Formula(torch.autograd.Function):
    """Faults can be planted in its two passes."""

    @staticmethod
    def forward(ctx, x, weight, power, fault):
        ctx.save_for_backward(x, weight)
        ctx.fault = fault
        return reference(x, weight, power)

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        if ctx.fault == "second derivative":
            x = x.detach()
        if ctx.fault == "changed input":
            x.detach().mul_(2)
        grad_x = 2 * grad * weight * x
        grad_weight = (grad * x * x).sum(dim=(0, 1))
        if ctx.fault == "gradient":
            grad_weight = grad_weight * 1.001
        if ctx.fault == "half sum" and grad.dtype == torch.bfloat16:
            # What is added to a long sum in half precision is lost.
            rows = (grad * x * x).flatten(0, 1)
            grad_weight = torch.zeros_like(weight)
            for row in rows:
                grad_weight += row
        return grad_x, grad_weight, None, None


def formula(fault=None):
    return lambda x, weight, power: Formula.apply(x, weight, power, fault)


def check(formula, **kwargs):
    assert_formula_parity({"it": formula}, reference, inputs, **kwargs)


def test_sound_formulas():
    check(formula())
    check(reference)
    check(lambda x, weight, power: (x * (weight * x)) ** (power - 1))


def flat(x, weight, power):
    """Reads memory as if it were in the order of the dimensions."""
    size, stride = x.shape, (x.size(1) * x.size(2), x.size(2), 1)
    return reference(torch.as_strided(x, size, stride), weight, power)


def even(x, weight, power):
    """Forgets the last frame of an odd number."""
    keep = torch.arange(x.size(1)) < max(1, x.size(1) // 2 * 2)
    return reference(x, weight, power) * keep.view(-1, 1)


def first_rows(x, weight, power):
    """Forgets what does not fit its block."""
    keep = torch.arange(x.size(0)) < 1000
    return reference(x, weight, power) * keep.view(-1, 1, 1)


def some(x, weight, power):
    if x.size(0) == 0:
        raise RuntimeError("an empty grid")
    return reference(x, weight, power)


def several_frames(x, weight, power):
    return reference(x, weight, power) * (1 if x.size(1) != 1 else 2)


def one_channel(x, weight, power):
    return reference(x.squeeze(-1).view(x.shape), weight, power) * (
        1 if x.size(2) != 1 else -1
    )


def single(x, weight, power):
    return reference(x.float(), weight.float(), power).to(x.dtype)


def widened(x, weight, power):
    return reference(x.double(), weight.double(), power)


def cut_off(x, weight, power):
    return reference(x, weight.detach(), power)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (
            formula("gradient"),
            r"\(odd sizes, torch.float64, contiguous\): the gradient to "
            r"'weight' of shape \[3\]",
        ),
        (
            formula("second derivative"),
            r"\(odd sizes, torch.float64, contiguous\): the second derivative "
            r"to 'x' of shape",
        ),
        (
            formula("half sum"),
            r"\(.*, torch.bfloat16, .*\): the gradient to 'w",
        ),
        (
            formula("changed input"),
            "fails: AssertionError: It modifies its in",
        ),
        (cut_off, "the gradient to 'weight' of shape"),
        (flat, r"\(odd sizes, torch.float64, not contiguous\)"),
        (even, r"\(odd sizes, .*\): the output of shape \[15, 7, 3\]"),
        (first_rows, r"\(huge N, .*\): the output"),
        (some, r"\(N = 0, .*\) fails: RuntimeError: an empty grid"),
        (several_frames, r"\(T = 1, .*\): the output"),
        (one_channel, r"\(C = 1, .*\): the output"),
        (single, r"\(odd sizes, torch.float64, contiguous\): the output"),
        (
            lambda x, weight, power: (reference(x, weight, power), x),
            r"expected the tensors \['output', .* got \['output 0', ",
        ),
        (
            widened,
            r"torch.float32, contiguous\): expected .* got torch.float64",
        ),
    ],
)
def test_faults_are_found(formula, message):
    with pytest.raises(AssertionError, match=rf"Formula 'it' .*{message}"):
        check(formula)


def test_second_derivatives_that_are_not_claimed():
    check(formula("second derivative"), second=[])


def test_half_precision_that_is_not_claimed():
    check(formula("half sum"), dtypes=[torch.float64, torch.float32])


def test_own_sizes():
    check(first_rows, sizes={"few": (2, 3, 4, 1)})
    with pytest.raises(AssertionError, match=r"\(many, "):
        check(first_rows, sizes={"many": (500, 3, 4, 1)})


def test_lists_of_tensors():
    def total(tensors):
        return sum(tensors).square()

    def wrong(tensors):
        return (tensors[0] + tensors[1].detach()).square()

    def two(n, v, t, c):
        return {"tensors": [torch.randn(n, v).double() for _ in range(2)]}

    assert_formula_parity({"it": total}, total, two)
    with pytest.raises(AssertionError, match=r"gradient to 'tensors\[1\]'"):
        assert_formula_parity({"it": wrong}, total, two)

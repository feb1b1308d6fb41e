from itertools import product

import pytest
import torch

from symgnn_pyg.ops import pairs
from symgnn_pyg.ops.pair_linear import pair_linear

N, V, D, OUT = 3, 5, 4, 6


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(params=[2**19, 1], ids=["one block", "many blocks"])
def _scratch(request, monkeypatch):
    monkeypatch.setattr(pairs, "SCRATCH", request.param)


def inputs(n=N, v=V, d=D, out=OUT, dtype=torch.double):
    shapes = [(n, v, d), (n, v, d), (out, d), (out,)]
    return [torch.randn(s, dtype=dtype).requires_grad_() for s in shapes]


def literal(a, b, weight, bias, self_pairs):
    rows = [
        weight @ (a[n, i] + b[n, j]).relu() + bias
        for n, i, j in product(range(a.size(0)), *2 * [range(a.size(1))])
        if self_pairs or j != i
    ]
    y = torch.stack(rows)
    mean, var = y.mean(dim=0), y.var(dim=0, correction=0)
    return y.view(*a.shape[:2], -1, weight.size(0)), mean, var


@pytest.mark.usefixtures("_scratch")
@pytest.mark.parametrize("self_pairs", [False, True])
def test_literal_formula(self_pairs):
    given = inputs()
    out = pair_linear(*given, self_pairs)
    expected = literal(*given, self_pairs)
    torch.testing.assert_close(out, expected)
    grads = [torch.randn_like(t) for t in out]
    torch.testing.assert_close(
        torch.autograd.grad(out, given, grads),
        torch.autograd.grad(expected, given, grads),
    )


@pytest.mark.usefixtures("_scratch")
@pytest.mark.parametrize("self_pairs", [False, True])
def test_derivatives(self_pairs):
    def layer(*given):
        return pair_linear(*given, self_pairs)

    given = inputs(2, 3, 2, 2)
    assert torch.autograd.gradcheck(layer, given)
    assert torch.autograd.gradgradcheck(layer, given)


@pytest.mark.parametrize(("n", "v"), [(0, V), (N, 1), (0, 1)])
@pytest.mark.parametrize("self_pairs", [False, True])
def test_few(n, v, self_pairs):
    given = inputs(n, v)
    out, mean, var = pair_linear(*given, self_pairs)
    assert out.shape == (n, v, v if self_pairs else v - 1, OUT)
    if out.numel() == 0:
        assert mean.eq(0).all()
        assert var.eq(0).all()
    (out.sum() + mean.sum() + var.sum()).backward()
    assert [t.grad.shape for t in given] == [t.shape for t in given]


def test_variance_beside_a_large_mean():
    a, b, weight, bias = inputs(n=9)
    with torch.no_grad():
        expected = pair_linear(a, b, weight, bias)[2]
        shifted = [t.float() for t in (a, b, weight, bias + 100)]
        torch.testing.assert_close(
            pair_linear(*shifted)[2], expected.float(), rtol=1e-3, atol=0
        )


def test_only_the_result_is_kept():
    kept = []
    given = inputs(v=20)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t.numel()) or t, lambda t: t
    ):
        out = pair_linear(*given)[0]
    assert [n for n in kept if n > given[0].numel()] == [out.numel()]


def test_compiled():
    given = inputs()

    def total(*given):
        out, mean, var = pair_linear(*given)
        return out.sin().sum() + (mean * var).sum()

    compiled = torch.compile(total, fullgraph=True, backend="aot_eager")
    out, expected = compiled(*given), total(*given)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(
        torch.autograd.grad(out, given), torch.autograd.grad(expected, given)
    )


@pytest.mark.parametrize("self_pairs", [False, True])
def test_registration(self_pairs):
    a, b, weight, bias = (t.detach() for t in inputs())
    out, mean, var = pair_linear(a, b, weight, bias, self_pairs)
    torch.library.opcheck(
        torch.ops.symgnn_pyg.pair_linear.default,
        (a, b, weight, bias, self_pairs),
    )
    torch.library.opcheck(
        torch.ops.symgnn_pyg.pair_linear_backward.default,
        (out.cos(), out, var, mean, a, b, weight, self_pairs),
    )


def test_autocast():
    given = inputs(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        out, mean, var = pair_linear(*given)
    assert out.dtype == torch.bfloat16
    assert mean.dtype == var.dtype == torch.float32
    torch.testing.assert_close(
        (out.float(), mean, var), pair_linear(*given), rtol=0.05, atol=0.05
    )


def test_wrong_shapes():
    a, b = torch.zeros(3, 5, 4), torch.zeros(3, 4, 4)
    with pytest.raises(ValueError, match=r"\[3, 5, 4\] and \[3, 4, 4\]"):
        pair_linear(a, b, torch.zeros(6, 4), torch.zeros(6))

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
    return torch.stack(rows).view(*a.shape[:2], -1, weight.size(0))


@pytest.mark.usefixtures("_scratch")
@pytest.mark.parametrize("self_pairs", [False, True])
def test_literal_formula(self_pairs):
    given = inputs()
    out = pair_linear(*given, self_pairs)
    expected = literal(*given, self_pairs)
    torch.testing.assert_close(out, expected)
    grad = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, given, grad),
        torch.autograd.grad(expected, given, grad),
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
    out = pair_linear(*given, self_pairs)
    assert out.shape == (n, v, v if self_pairs else v - 1, OUT)
    out.sum().backward()
    assert [t.grad.shape for t in given] == [t.shape for t in given]


def test_strides_do_not_matter():
    given = inputs()
    strided = [
        t.detach().mT.contiguous().mT.requires_grad_() for t in given[:3]
    ] + given[3:]
    out, expected = pair_linear(*strided), pair_linear(*given)
    grad = torch.randn(OUT).double().expand_as(out)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(
        torch.autograd.grad(out, strided, grad),
        torch.autograd.grad(expected, given, grad),
    )


def test_pairs_are_not_kept():
    kept = []
    given = inputs(v=20)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t.numel()) or t, lambda t: t
    ):
        pair_linear(*given)
    assert max(kept) == given[0].numel()


def test_compiled():
    given = inputs()
    compiled = torch.compile(pair_linear, fullgraph=True, backend="aot_eager")
    out, expected = compiled(*given), pair_linear(*given)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(
        torch.autograd.grad(out.sin().sum(), given),
        torch.autograd.grad(expected.sin().sum(), given),
    )


@pytest.mark.parametrize("self_pairs", [False, True])
def test_registration(self_pairs):
    a, b, weight, bias = (t.detach() for t in inputs())
    out = pair_linear(a, b, weight, bias, self_pairs)
    torch.library.opcheck(
        torch.ops.symgnn_pyg.pair_linear.default,
        (a, b, weight, bias, self_pairs),
    )
    torch.library.opcheck(
        torch.ops.symgnn_pyg.pair_linear_backward.default,
        (out, a, b, weight, self_pairs),
    )


def test_autocast():
    given = inputs(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        out = pair_linear(*given)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(
        out.float(), pair_linear(*given), rtol=0.05, atol=0.05
    )


def test_wrong_shapes():
    a, b = torch.zeros(3, 5, 4), torch.zeros(3, 4, 4)
    with pytest.raises(ValueError, match=r"\[3, 5, 4\] and \[3, 4, 4\]"):
        pair_linear(a, b, torch.zeros(6, 4), torch.zeros(6))

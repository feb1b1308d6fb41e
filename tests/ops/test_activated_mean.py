import pytest
import torch

from symgnn_pyg.ops import pairs
from symgnn_pyg.ops.activated_mean import activated_mean

N, V, P, D = 3, 5, 4, 6


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(params=[2**19, 1], ids=["one block", "many blocks"])
def _scratch(request, monkeypatch):
    monkeypatch.setattr(pairs, "SCRATCH", request.param)


def inputs(*shape, dtype=torch.double):
    shapes = [shape or (N, V, P, D), shape[-1:] or (D,), shape[-1:] or (D,)]
    return [torch.randn(s, dtype=dtype).requires_grad_() for s in shapes]


def literal(y, scale, shift):
    return (scale * y + shift).relu().mean(dim=2)


@pytest.mark.usefixtures("_scratch")
def test_literal_formula():
    given = inputs()
    out, expected = activated_mean(*given), literal(*given)
    torch.testing.assert_close(out, expected)
    grad = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, given, grad),
        torch.autograd.grad(expected, given, grad),
    )


def test_derivatives():
    given = inputs(2, 3, 2, 2)
    assert torch.autograd.gradcheck(activated_mean, given)
    assert torch.autograd.gradgradcheck(activated_mean, given)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_any_scale(scale):
    y, _, shift = inputs()
    scale = torch.full((D,), scale, dtype=torch.double).requires_grad_()
    given = (y, scale, shift)
    torch.testing.assert_close(
        torch.autograd.grad(activated_mean(*given).sin().sum(), given),
        torch.autograd.grad(literal(*given).sin().sum(), given),
    )


@pytest.mark.parametrize("shape", [(0, V, P, D), (N, V, 0, D), (N, 0, P, D)])
def test_empty(shape):
    given = inputs(*shape)
    out = activated_mean(*given)
    assert out.shape == (shape[0], shape[1], D)
    assert out.eq(0).all()
    out.sum().backward()
    assert [t.grad.shape for t in given] == [t.shape for t in given]


def test_precision():
    y, scale, shift = inputs(dtype=torch.float32)
    out = activated_mean(y.bfloat16(), scale, shift)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(
        out.float(), literal(y, scale, shift), rtol=0.02, atol=0.02
    )


def test_compiled():
    given = inputs()
    compiled = torch.compile(
        activated_mean, fullgraph=True, backend="aot_eager"
    )
    out, expected = compiled(*given), activated_mean(*given)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(
        torch.autograd.grad(out.sin().sum(), given),
        torch.autograd.grad(expected.sin().sum(), given),
    )


def test_registration():
    given = [t.detach() for t in inputs()]
    operators = torch.ops.symgnn_pyg
    torch.library.opcheck(operators.activated_mean.default, given)
    grad = torch.randn(N, V, D).double()
    torch.library.opcheck(
        operators.activated_mean_backward.default, (grad, *given)
    )

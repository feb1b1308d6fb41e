import pytest
import torch

from symgnn_pyg import ops

N, V, D = 3, 5, 4


def terms(*shape, dtype=torch.double):
    shape = shape or (N, V, D)
    return [torch.randn(shape, dtype=dtype).requires_grad_() for _ in "ab"]


def test_second_derivatives_of_related_inputs():
    def mean(a):
        return ops.pair_mean(a.sin(), a.sin() * a)

    a = terms(2, 3, 2)[0]
    assert torch.autograd.gradcheck(mean, a)
    assert torch.autograd.gradgradcheck(mean, a)


def test_no_derivative_at_the_kink():
    a, b = torch.ones(1, 2, 1), -torch.ones(1, 2, 1)
    a.requires_grad_()
    ops.pair_mean(a, b).sum().backward()
    assert a.grad.eq(0).all()


@pytest.mark.parametrize("shape", [(0, V, D), (N, 0, D), (N, V, 0), (0, 1, D)])
@pytest.mark.parametrize("self_pairs", [False, True])
def test_empty(shape, self_pairs):
    a, b = terms(*shape)
    out = ops.pair_mean(a, b, self_pairs)
    assert out.shape == shape
    out.sum().backward()
    assert a.grad.shape == b.grad.shape == shape


def test_one_joint_has_no_partner():
    a, b = terms(N, 1, D)
    out = ops.pair_mean(a, b)
    out.sum().backward()
    assert out.eq(0).all()
    assert a.grad.eq(0).all()
    assert b.grad.eq(0).all()
    out = ops.pair_mean(a, b, self_pairs=True)
    torch.testing.assert_close(out, (a + b).relu())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_pairs_are_not_kept(dtype):
    kept = []
    a, b = terms(N, 20, D, dtype=dtype)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t.numel()) or t, lambda t: t
    ):
        ops.pair_mean(a, b)
    assert max(kept) == a.numel()


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"\[3, 5, 4\] and \[3, 4, 4\]"):
        ops.pair_mean(torch.zeros(3, 5, 4), torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match=r"\[N, V, D\], got \[5, 4\]"):
        ops.pair_mean(torch.zeros(5, 4), torch.zeros(5, 4))

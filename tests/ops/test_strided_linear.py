import pytest
import torch
from torch.nn import functional

from symgnn_pyg.ops.strided_linear import strided_linear


def inputs(dtype, num_frames=7, has_bias=True):
    x = torch.randn(6, num_frames, 3, dtype=dtype, requires_grad=True)
    weight = torch.randn(4, 3, dtype=dtype, requires_grad=True)
    bias = torch.randn(4, dtype=dtype, requires_grad=True)
    return x, weight, bias if has_bias else None


@pytest.mark.parametrize("dtype", [torch.float, torch.double])
@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("stride", [1, 2, 3, 9])
def test_is_a_strided_convolution(stride, has_bias, dtype):
    x, weight, bias = inputs(dtype, has_bias=has_bias)
    out = strided_linear(x, weight, bias, stride)
    image = x.mT
    expected = functional.conv1d(image, weight[..., None], bias, stride).mT
    torch.testing.assert_close(out, expected)
    leaves = [t for t in (x, weight, bias) if t is not None]
    towards = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad(out, leaves, towards),
        torch.autograd.grad(expected, leaves, towards),
    )


def test_second_gradients():
    tensors = inputs(torch.double, 4)
    assert torch.autograd.gradgradcheck(
        lambda *t: strided_linear(*t, 2), tensors
    )


def test_frames_are_not_kept():
    x, weight, bias = inputs(torch.float, 40)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda t: t):
        strided_linear(x, weight, bias, 2)
    large = [t for t in kept if t.numel() > weight.numel()]
    assert [t.data_ptr() for t in large] == [x.data_ptr()]


def test_result_may_be_changed_in_place():
    tensors = inputs(torch.float)
    strided_linear(*tensors, 2).relu_().sum().backward()
    assert all(t.grad is not None for t in tensors)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_inputs(frozen):
    tensors = inputs(torch.double)
    tensors[frozen].requires_grad_(False)
    strided_linear(*tensors, 2).sum().backward()
    assert [t.grad is None for t in tensors] == [i == frozen for i in range(3)]

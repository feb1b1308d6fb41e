import pytest
import torch
from torch.nn import functional

from symgnn_pyg.ops import batch_norm as file
from symgnn_pyg.ops import norm_relu_conv as conv_file
from symgnn_pyg.ops.batch_norm import batch_norm, batch_statistics
from symgnn_pyg.ops.norm_relu_conv import norm_relu_conv

EPS = 1e-5
TOLERANCES = {
    torch.double: {},
    torch.float: {"rtol": 1e-3, "atol": 1e-3},
}


@pytest.fixture(params=[1, 2**16], ids=["one by one", "at once"])
def _pieces(request, monkeypatch):
    monkeypatch.setattr(file, "CACHED", request.param)
    monkeypatch.setattr(conv_file, "PIECE", request.param)


def own_norm(x, weight, bias):
    return batch_norm(x, weight, bias, *batch_statistics(x), EPS)


def torch_norm(x, weight, bias):
    rows = x.flatten(0, -2)
    out = functional.batch_norm(rows, None, None, weight, bias, True, 0, EPS)
    return out.view_as(x)


def norm_inputs(shape, dtype):
    x = 3 + 2 * torch.randn(shape, dtype=dtype)
    scale, shift = torch.randn(2, shape[-1], dtype=dtype)
    return [t.requires_grad_() for t in (x, scale, shift)]


def own_conv(x, scale, shift, weight, bias, stride):
    terms = scale, shift, *batch_statistics(x), EPS
    return norm_relu_conv(x, *terms, weight, bias, stride, weight.size(3) // 2)


def torch_conv(x, scale, shift, weight, bias, stride):
    h = torch_norm(x, scale, shift).relu().mT
    padding = weight.size(3) // 2
    out = functional.conv1d(h, weight[:, :, 0], bias, stride, padding)
    return out.mT


def conv_inputs(num_nodes, num_frames, kernel_size, dtype, has_bias=True):
    inputs = norm_inputs((num_nodes, num_frames, 3), dtype)
    weight = torch.randn(4, 3, 1, kernel_size, dtype=dtype)
    bias = torch.randn(4, dtype=dtype).requires_grad_() if has_bias else None
    return [*inputs, weight.requires_grad_(), bias]


def grads(out, inputs):
    towards = torch.linspace(-1, 2, out.numel()).sin().view_as(out).to(out)
    inputs = [t for t in inputs if t is not None]
    return torch.autograd.grad(out, inputs, towards)


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("shape", [(7, 5, 3), (2, 1, 1), (40, 3)])
def test_norm_is_that_of_torch(shape, dtype):
    inputs, tolerance = norm_inputs(shape, dtype), TOLERANCES[dtype]
    out, expected = own_norm(*inputs), torch_norm(*inputs)
    torch.testing.assert_close(out, expected, **tolerance)
    torch.testing.assert_close(
        grads(out, inputs), grads(expected, inputs), **tolerance
    )


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("num_nodes", "num_frames", "kernel_size"),
    [(5, 7, 3), (32, 6, 5), (35, 1, 3), (16, 2, 9)],
)
def test_conv_is_that_of_torch(
    num_nodes, num_frames, kernel_size, stride, has_bias, dtype
):
    tensors = conv_inputs(num_nodes, num_frames, kernel_size, dtype, has_bias)
    tolerance = TOLERANCES[dtype]
    out, expected = own_conv(*tensors, stride), torch_conv(*tensors, stride)
    torch.testing.assert_close(out, expected, **tolerance)
    torch.testing.assert_close(
        grads(out, tensors), grads(expected, tensors), **tolerance
    )


@pytest.mark.parametrize("offset", [0, 1e3])
def test_far_from_zero(offset):
    """Single precision loses no more than torch does."""
    x = (offset + torch.randn(500, 4)).requires_grad_()
    scale, shift = torch.ones(4), torch.zeros(4)
    exact = torch_norm(x.double(), scale.double(), shift.double())
    exact = torch.cat([exact, *grads(exact, [x])])
    errors = []
    for norm in (own_norm, torch_norm):
        out = norm(x, scale, shift)
        found = torch.cat([out, *grads(out, [x])])
        errors.append((found - exact).abs().max())
    assert errors[0] <= 2 * errors[1]


def test_second_gradients_of_norm():
    inputs = norm_inputs((4, 3, 2), torch.double)
    assert torch.autograd.gradgradcheck(own_norm, inputs)


@pytest.mark.parametrize("has_bias", [True, False])
def test_second_gradients_of_conv(has_bias):
    *inputs, bias = conv_inputs(3, 4, 3, torch.double, has_bias)
    inputs += [bias] if has_bias else []

    def conv(*tensors):
        return own_conv(*tensors, *([] if has_bias else [None]), 2)

    assert torch.autograd.gradgradcheck(conv, inputs)


def test_gradients_of_some():
    """As where layers are frozen."""
    tensors = [t.detach() for t in conv_inputs(5, 7, 3, torch.double)]
    for one in tensors:
        one.requires_grad_()
        towards = torch.randn(5, 7, 4, dtype=torch.double)
        found = torch.autograd.grad(own_conv(*tensors, 1), one, towards)
        expected = torch.autograd.grad(torch_conv(*tensors, 1), one, towards)
        torch.testing.assert_close(found, expected)
        one.requires_grad_(False)


def test_gradients_that_lie_otherwise_and_are_left_alone():
    inputs = norm_inputs((6, 5, 4), torch.double)
    out = own_norm(*inputs)
    towards = torch.randn(5, 6, 4, dtype=torch.double).transpose(0, 1)
    before = towards.clone()
    found = torch.autograd.grad(out, inputs, towards)
    expected = torch.autograd.grad(torch_norm(*inputs), inputs, towards)
    torch.testing.assert_close(found, expected)
    assert towards.equal(before)


def test_only_what_goes_in_is_kept():
    inputs = conv_inputs(16, 20, 3, torch.float)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda t: t):
        own_conv(*inputs, 1)
    large = [t for t in kept if t.numel() >= inputs[0].numel()]
    assert [t.data_ptr() for t in large] == [inputs[0].data_ptr()]


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_features_that_lie_otherwise(dtype):
    """As those that kernels leave for a single sample."""
    *terms, weight, bias = conv_inputs(5, 7, 3, dtype)
    x = torch.randn(7, 5, 3, dtype=dtype).transpose(0, 1).requires_grad_()
    tensors, tolerance = [x, *terms[1:]], TOLERANCES[dtype]
    torch.testing.assert_close(
        grads(own_norm(*tensors), tensors),
        grads(torch_norm(*tensors), tensors),
        **tolerance,
    )
    tensors += [weight, bias]
    torch.testing.assert_close(
        grads(own_conv(*tensors, 1), tensors),
        grads(torch_conv(*tensors, 1), tensors),
        **tolerance,
    )


def test_several_gradients_at_once():
    tensors = conv_inputs(4, 3, 3, torch.double)
    for function, inputs in (
        (own_norm, tensors[:3]),
        (lambda *t: own_conv(*t, 2), tensors),
    ):
        out = function(*inputs)
        towards = torch.randn(2, *out.shape, dtype=torch.double)
        both = torch.autograd.grad(
            out, inputs, towards, retain_graph=True, is_grads_batched=True
        )
        for i, one in enumerate(towards):
            found = torch.autograd.grad(out, inputs, one, retain_graph=True)
            torch.testing.assert_close([g[i] for g in both], list(found))


def test_hooks_of_tensors_are_called_once():
    x, scale, shift = norm_inputs((6, 5, 4), torch.double)
    expected = grads(torch_norm(x, scale, shift).sin(), [scale])[0]
    scale.register_hook(lambda grad: 2 * grad)
    out = own_norm(x, scale, shift).sin()
    towards = torch.linspace(-1, 2, out.numel()).sin().view_as(out).to(out)
    out.backward(towards, create_graph=True)
    torch.testing.assert_close(scale.grad.detach(), 2 * expected)


def test_results_may_be_changed_in_place():
    tensors = conv_inputs(5, 7, 3, torch.double)
    expected = grads(torch_conv(*tensors, 1).relu(), tensors)
    out = own_conv(*tensors, 1).relu_()
    torch.testing.assert_close(grads(out, tensors), expected)

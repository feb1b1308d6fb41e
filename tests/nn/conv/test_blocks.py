import copy

import pytest
import torch
from torch.nn import Identity

from symgnn_pyg import ops
from symgnn_pyg.nn import JGTCBlock, PGTCBlock
from symgnn_pyg.nn.conv.graph_temporal_block import UniformDropout

N = 3


@pytest.fixture(params=["joint", "part"])
def block(request, arm):
    """Builds a block and returns it with what to call it on."""

    def build(in_channels=4, out_channels=4, frames=7, **kwargs):
        actional = ()
        if request.param == "joint":
            kwargs = {"num_hops": 2, **kwargs}
            made = JGTCBlock(in_channels, out_channels, arm, **kwargs)
            nodes = N * arm.num_joints
            graph = torch.randn(N, arm.num_joints, arm.num_joints)
            actional = (graph.softmax(dim=-1),)
        else:
            made = PGTCBlock(in_channels, out_channels, arm, **kwargs)
            nodes = N * arm.num_parts
        return made, (torch.randn(nodes, frames, in_channels), *actional)

    return build


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("channels", [(4, 4), (3, 6)])
@pytest.mark.parametrize("training", [True, False])
def test_formula(block, channels, stride, training, residual):
    made, inputs = block(
        *channels, stride=stride, dropout=0.0, residual=residual
    )
    made.train(training)

    def norm(layer, x):
        layer = layer.norm
        mean, var = layer.running_mean, layer.running_var
        if training:
            mean = x.flatten(0, 1).mean(dim=0)
            var = x.flatten(0, 1).var(dim=0, correction=0)
        return (x - mean) / (var + layer.eps).sqrt()

    x = inputs[0]
    h = norm(made.graph_norm, made.graph_conv(*inputs)).relu()
    y = norm(made.temporal_norm, made.temporal_conv(h))
    if not residual:
        assert made.residual is None
    elif channels == (4, 4) and stride == 1:
        assert isinstance(made.residual, Identity)
        y = y + x
    else:
        conv, layer = made.residual
        linear = torch.nn.functional.linear
        weight, bias = conv.conv.weight[:, :, 0, 0], conv.conv.bias
        y = y + norm(layer, linear(x[:, ::stride], weight, bias))
    torch.testing.assert_close(made(*inputs), y.relu(), rtol=1e-4, atol=1e-5)


def test_dropout_and_norm_follow_the_mode(block):
    made, inputs = block(dropout=0.5)
    assert not torch.equal(made(*inputs), made(*inputs))
    made.eval()
    before = made.graph_norm.norm.running_mean.clone()
    torch.testing.assert_close(made(*inputs), made(*inputs))
    torch.testing.assert_close(made.graph_norm.norm.running_mean, before)


def test_input_is_left_alone(block):
    for residual in (True, False):
        made, inputs = block(residual=residual, dropout=0.0)
        made.eval()
        before = inputs[0].clone()
        made(*inputs)
        torch.testing.assert_close(inputs[0], before)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("residual", [True, False])
def test_every_parameter_learns(block, residual, dropout, idle):
    made, inputs = block(4, 6, residual=residual, dropout=dropout)
    made(*inputs).square().sum().backward()
    assert idle(made) == []


# Dropout #####################################################################


@pytest.mark.parametrize("dtype", [torch.float, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_its_share_and_the_mean(p, dtype):
    out = UniformDropout(p)(torch.ones(400_000, dtype=dtype))
    assert out.eq(0).float().mean() == pytest.approx(p, abs=0.002)
    assert out.float().mean() == pytest.approx(1.0, abs=0.05)
    kept = out[out != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p)))


def test_dropout_of_nothing_and_everything():
    x = torch.randn(100)
    torch.testing.assert_close(UniformDropout(0.0)(x), x)
    torch.testing.assert_close(UniformDropout(0.9).eval()(x), x)
    assert UniformDropout(1.0)(x).eq(0).all()


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_gradient_of_dropout_is_its_mask(p):
    x = torch.rand(1000) + 1
    x.requires_grad_()
    out = UniformDropout(p)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, (out / x).detach())


# Memory ######################################################################


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("training", [True, False])
def test_features_are_not_copied(block, stride, training):
    """Neither permuted nor made contiguous between the operators."""
    made, inputs = block(8, 8, frames=48, stride=stride, dropout=0.0)
    made.train(training)
    with (
        ops.use("blocked"),
        torch.profiler.profile(record_shapes=True) as profile,
    ):
        made(*inputs)
    moved = {"aten::copy_", "aten::contiguous", "aten::clone"}
    # A strided residual gathers its frames, as the product after it needs.
    allowed = 0 if stride == 1 else 2
    smallest = inputs[0].numel() // stride
    large = [
        (event.name, event.input_shapes)
        for event in profile.events()
        if event.name in moved
        and event.input_shapes
        # This one is of a tensor onto itself, and returns at once.
        and getattr(event.cpu_parent, "name", "") != "aten::baddbmm_"
        and torch.Size(event.input_shapes[0]).numel() >= smallest
    ]
    assert len(large) <= allowed, large


@pytest.mark.parametrize("residual", [True, False])
def test_conversion_to_synchronised_statistics(block, residual):
    # As many frames as channels: an axis mixed up would go unseen.
    made, inputs = block(6, 8, frames=8, residual=residual)
    made(*inputs)
    converted = torch.nn.SyncBatchNorm.convert_sync_batchnorm(
        copy.deepcopy(made)
    )
    torch.testing.assert_close(converted.eval()(*inputs), made.eval()(*inputs))


@pytest.mark.parametrize("momentum", [0.1, 0.5, None])
def test_training_without_recomputation(block, dtype, momentum):
    """Output, gradients and running statistics are those of a block whose
    layers somebody watches, and which therefore recomputes nothing."""
    made, inputs = block(4, 6, stride=2, dropout=0.0)
    made.to(dtype)
    inputs = [x.to(dtype).requires_grad_() for x in inputs]
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = momentum
    plain = copy.deepcopy(made)
    plain.graph_norm.register_forward_hook(lambda *_: None)
    found, expected = [], []
    for network, results in ((made, found), (plain, expected)):
        for _ in range(2):
            out = network(*inputs)
            leaves = [*inputs, *network.parameters()]
            towards = torch.linspace(-1, 2, out.numel(), dtype=dtype)
            grads = torch.autograd.grad(out, leaves, towards.view_as(out))
            results += [out, *grads]
        results += network.buffers()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_block_in_training_keeps_three_tensors(block):
    """Its input, what its graphs have mixed and what its temporal convolution
    gave; the fourth is what leaves it."""
    made, inputs = block(8, 8, frames=48, dropout=0.0)
    x = inputs[0].requires_grad_()
    kept = {}

    def pack(tensor):
        if tensor.numel() >= x.numel():
            kept[tensor.data_ptr()] = tensor
        return tensor

    with (
        ops.use("blocked"),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t),
    ):
        made(*inputs)
    assert len(kept) == 4


def test_dropout_keeps_a_byte_a_number():
    kept = []
    x = torch.randn(1000, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda t: t):
        UniformDropout(0.5)(x)
    assert [t.element_size() for t in kept] == [1]


@pytest.mark.parametrize("channels", [(4, 4), (1, 4), (4, 1)])
@pytest.mark.parametrize("kernel", ops.formula_names())
def test_gradients_in_training_of_one_sample(arm, kernel, channels):
    """Kernels may leave its features in another order in memory."""
    made = JGTCBlock(
        *channels, arm, kernel_size=3, dropout=0.0, use_actional=False
    )
    x = torch.randn(arm.num_joints, 4, channels[0], dtype=torch.double)
    with ops.use(kernel):
        assert torch.autograd.gradcheck(
            made.double(), x.requires_grad_(), fast_mode=True
        )


@pytest.mark.parametrize("place", ["module", "module within"])
def test_what_was_replaced_runs_once_in_training(block, place):
    """It may draw random numbers, and the backward pass needs the same."""
    made, inputs = block(4, 4, residual=False, dropout=0.0)
    calls = []

    class Drop(torch.nn.Module):
        def __init__(self, conv):
            super().__init__()
            self.conv = conv

        def forward(self, x):
            calls.append(x.shape)
            return torch.nn.functional.dropout(self.conv(x))

    conv = made.temporal_conv
    if place == "module":
        made.temporal_conv = Drop(conv)
    else:
        conv.conv = Drop(conv.conv)
    made(*inputs).sum().backward()
    assert len(calls) == 1


def test_backward_in_evaluation_mode(block):
    """What was computed in training mode is computed again in that mode."""
    made, inputs = block(4, 6, dropout=0.0)
    grads = []
    for change in (False, True):
        out = made.train()(*inputs).square().sum()
        before = copy.deepcopy(made.state_dict())
        made.train(not change)
        grads.append(torch.autograd.grad(out, [*made.parameters()]))
        torch.testing.assert_close(made.state_dict(), before)
    torch.testing.assert_close(*grads)

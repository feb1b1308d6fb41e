import pytest
import torch

from symgnn_pyg import ops

N, V, C, D = 3, 5, 4, 6
SHAPES = pytest.mark.parametrize(
    ("kernel", "frames", "num_graphs"),
    [("stacked", 1, 4), ("stacked", 3, 4), ("dense", 3, 1), ("dense", 1, 4)],
)


def problem(frames, num_graphs, dtype=torch.double):
    x = torch.randn(N * V, frames, C, dtype=dtype)
    graphs = torch.randn(N, num_graphs, V, V, dtype=dtype)
    weight = torch.randn(num_graphs, C, D, dtype=dtype)
    return [leaf.requires_grad_() for leaf in (x, graphs, weight)]


@SHAPES
def test_inputs_alone_are_kept(kernel, frames, num_graphs):
    inputs, kept = problem(frames, num_graphs), []

    def pack(tensor):
        kept.append(tensor.untyped_storage().data_ptr())
        return tensor

    with (
        ops.use(kernel),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
    ):
        ops.graph_mix(*inputs)
    assert set(kept) == {t.untyped_storage().data_ptr() for t in inputs}


@SHAPES
@pytest.mark.parametrize("dtype", [torch.float, torch.double])
def test_gradients_are_those_of_the_formula(kernel, frames, num_graphs, dtype):
    inputs = problem(frames, num_graphs, dtype)
    towards = torch.randn(N * V, frames, D, dtype=dtype)
    found = []
    for name in (kernel, "reference"):
        with ops.use(name):
            out = ops.graph_mix(*inputs)
        found.append(torch.autograd.grad(out, inputs, towards))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@SHAPES
def test_second_and_batched_gradients(kernel, frames, num_graphs):
    inputs = problem(frames, num_graphs)

    def mix(*inputs):
        with ops.use(kernel):
            return ops.graph_mix(*inputs)

    assert torch.autograd.gradgradcheck(mix, inputs)
    out = mix(*inputs)
    towards = torch.randn(2, *out.shape, dtype=out.dtype)
    batched = torch.autograd.grad(
        out, inputs, towards, is_grads_batched=True, retain_graph=True
    )
    for i, each in enumerate(towards):
        alone = torch.autograd.grad(out, inputs, each, retain_graph=True)
        for one, other in zip(alone, batched, strict=True):
            torch.testing.assert_close(one, other[i])


@SHAPES
def test_results_may_be_changed_in_place(kernel, frames, num_graphs):
    inputs = problem(frames, num_graphs)
    with ops.use(kernel):
        expected = ops.graph_mix(*inputs).relu().sum()
        changed = ops.graph_mix(*inputs).relu_().sum()
    for one, other in zip(
        *(torch.autograd.grad(out, inputs) for out in (expected, changed)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


@SHAPES
def test_backward_within_autocast_and_without_channels(
    kernel, frames, num_graphs
):
    x, graphs, weight = problem(frames, num_graphs, torch.float)
    with ops.use(kernel):
        out = ops.graph_mix(x, graphs, weight)
        nothing = ops.graph_mix(x, graphs, weight[..., :0])
        with torch.inference_mode():
            fixed = x.clone()
        ops.graph_mix(fixed, graphs.detach(), weight.detach())
    towards = torch.randn_like(out)
    expected = torch.autograd.grad(out, weight, towards, retain_graph=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = torch.autograd.grad(out, weight, towards)
    assert torch.equal(expected[0], found[0])
    assert not torch.autograd.grad(nothing.sum(), x)[0].any()


@SHAPES
@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 2), (1, 2)])
def test_some_of_the_gradients(kernel, frames, num_graphs, wanted):
    inputs = problem(frames, num_graphs)
    with ops.use(kernel):
        out = ops.graph_mix(*inputs).square().sum()
    every = torch.autograd.grad(out, inputs, retain_graph=True)
    some = torch.autograd.grad(out, [inputs[i] for i in wanted])
    for i, found in zip(wanted, some, strict=True):
        torch.testing.assert_close(found, every[i])

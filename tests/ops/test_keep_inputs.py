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

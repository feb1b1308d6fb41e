import itertools
import os
import subprocess
import sys

import pytest
import torch

from symgnn_pyg import ops
from symgnn_pyg.ops import dispatch

MANY = 2 * torch.get_num_threads() + 1
# Samples, joints, frames (None: there is no such dimension), C_in, C_out.
SIZES = [
    (3, 4, 5, 2, 3),
    (3, 4, 5, 4, 1),
    (3, 4, None, 2, 3),
    (2, 4, 1, 2, 2),
    (2, 1, 3, 2, 3),
    (1, 3, 2, 2, 3),
    (MANY, 3, 2, 2, 3),
    (0, 3, 2, 2, 3),
]
KINDS = ["shared", "per sample", "mixed"]


@pytest.fixture(autouse=True)
def _auto():
    torch.manual_seed(0)
    with ops.use("auto"):
        yield


@pytest.fixture(params=ops.kernels())
def kernel(request):
    with ops.use(request.param):
        yield request.param


def inputs(size=SIZES[0], kind="mixed", dtype=torch.double):
    n, v, t, c, d = size
    x = torch.randn(n * v, *([] if t is None else [t]), c, dtype=dtype)
    weight = torch.randn(3, c, d, dtype=dtype)
    shared = {"shared": [1, 1, 1], "per sample": [0, 0, 0], "mixed": [1, 0, 1]}
    graphs = [
        torch.randn(*([] if one else [n]), v, v, dtype=dtype)
        for one in shared[kind]
    ]
    return [t.requires_grad_() for t in (x, weight, *graphs)]


def mix(x, weight, *graphs):
    return ops.graph_mix(x, graphs, weight)


def expected(x, weight, *graphs):
    x, weight, *graphs = (t.double() for t in (x, weight, *graphs))
    v = graphs[0].size(-1)
    n = x.size(0) // v
    graphs = [a.expand(n, v, v) for a in graphs]
    samples = x.unflatten(0, (n, v))
    out = sum(
        torch.einsum("nij,nj...c,cd->ni...d", a, samples, w)
        for a, w in zip(graphs, weight, strict=True)
    )
    return out.flatten(0, 1)


def grads(function, tensors):
    out = function(*tensors)
    towards = torch.linspace(-1, 1, out.numel()).view_as(out).to(out)
    return torch.autograd.grad(out, tensors, towards)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_value_and_gradients(kernel, size, kind):
    tensors = inputs(size, kind)
    out = mix(*tensors)
    n, v, t, _, d = size
    assert out.shape == (n * v, *([] if t is None else [t]), d)
    torch.testing.assert_close(out, expected(*tensors))
    torch.testing.assert_close(grads(mix, tensors), grads(expected, tensors))


@pytest.mark.parametrize("kind", KINDS)
def test_float32(kernel, kind):
    tensors = inputs(kind=kind, dtype=torch.float)
    out = mix(*tensors)
    assert out.dtype == torch.float
    torch.testing.assert_close(out, expected(*tensors).float())
    torch.testing.assert_close(grads(mix, tensors), grads(expected, tensors))


@pytest.mark.parametrize("kind", KINDS)
def test_first_and_second_derivatives(kernel, kind):
    tensors = inputs((2, 3, 2, 2, 2), kind)
    assert torch.autograd.gradcheck(mix, tensors)
    assert torch.autograd.gradgradcheck(mix, tensors)


@pytest.mark.parametrize("dims", [(0, 1), (0, 2), (1, 2)])
def test_non_contiguous_features(kernel, dims):
    x, weight, *graphs = inputs((2, 3, 6, 6, 2), "shared")

    def apply(x):
        return mix(x.transpose(*dims), weight, *graphs)

    torch.testing.assert_close(
        apply(x), expected(x.transpose(*dims), weight, *graphs)
    )
    assert torch.autograd.gradcheck(apply, x)
    assert torch.autograd.gradgradcheck(apply, x)


def test_non_contiguous_graphs_and_weight(kernel):
    x, weight, *graphs = inputs((2, 3, 2, 2, 2))
    tensors = [x, weight.mT, *(a.mT for a in graphs)]
    torch.testing.assert_close(mix(*tensors), expected(*tensors))
    torch.testing.assert_close(grads(mix, tensors), grads(expected, tensors))


def test_gradients_with_a_graph_equal_those_without(kernel):
    # Weight and graphs are used twice, and the second features depend on
    # them: what a recurrent decoder does.
    tensors = inputs((2, 3, 2, 2, 2))
    out = mix(mix(*tensors).tanh(), *tensors[1:]).square().sum()
    without = torch.autograd.grad(out, tensors, retain_graph=True)
    with_graph = torch.autograd.grad(out, tensors, create_graph=True)
    torch.testing.assert_close(with_graph, without)


def test_graphs_that_depend_on_the_features(kernel):
    x, weight, *_ = inputs((2, 3, 2, 2, 2))

    def apply(x, weight):
        h = x.unflatten(0, (2, 3)).flatten(2)
        return mix(x, weight[:1], (h @ h.mT).softmax(dim=-1))

    out = apply(x, weight).square().sum()
    without = torch.autograd.grad(out, (x, weight), retain_graph=True)
    with_graph = torch.autograd.grad(out, (x, weight), create_graph=True)
    torch.testing.assert_close(with_graph, without)
    assert torch.autograd.gradcheck(apply, (x, weight))
    assert torch.autograd.gradgradcheck(apply, (x, weight))


@pytest.mark.parametrize(
    "needs", list(itertools.product([True, False], repeat=5))[:-1]
)
def test_only_some_inputs_need_gradients(kernel, needs):
    tensors = inputs()
    every = grads(mix, tensors)
    some = [
        t.detach().requires_grad_(need)
        for t, need in zip(tensors, needs, strict=True)
    ]
    out = mix(*some)
    towards = torch.linspace(-1, 1, out.numel()).view_as(out).to(out)
    out.backward(towards)
    for tensor, need, grad in zip(some, needs, every, strict=True):
        if need:
            torch.testing.assert_close(tensor.grad, grad)
        else:
            assert tensor.grad is None


def test_inputs_are_left_alone(kernel):
    tensors = inputs()
    before = [t.detach().clone() for t in tensors]
    mix(*tensors).sum().backward()
    torch.testing.assert_close([t.detach() for t in tensors], before)


def test_graphs_act_on_their_own_sample_only(kernel):
    x, weight, *graphs = inputs(kind="per sample")
    changed = [a.detach().clone() for a in graphs]
    for a in changed:
        a[1] += 1
    v = graphs[0].size(-1)
    difference = mix(x, weight, *graphs) - mix(x, weight, *changed)
    touched = difference.flatten(1).abs().sum(dim=1).view(-1, v)
    assert touched[1].min() > 0
    assert touched[[0, 2]].max() == 0


@pytest.mark.parametrize(
    ("x", "graphs", "weight", "message"),
    [
        ((7, 2, 2), [(3, 3)], (1, 2, 2), r"7 rows \(shape \[7, 2, 2\]\).* 3 "),
        ((6, 2, 5), [(3, 3)], (1, 2, 2), r"2 channels.*\[6, 2, 5\]"),
        ((6,), [(3, 3)], (1, 6, 2), r"\[6\]"),
        ((6, 2), [(3, 3)], (2, 2, 2), r"each of the 1 graphs.*\[2, 2, 2\]"),
        ((6, 2), [(3, 3)] * 2, (1, 2, 2), r"each of the 2 graphs"),
        ((6, 2), [], (0, 2, 2), r"each of the 0 graphs"),
        ((6, 2), [(3, 3)], (2, 2), r"\[2, 2\]"),
        ((6, 2), [(3, 3), (2, 2)], (2, 2, 2), r"\[3, 3\].*\[2, 2\]"),
        ((6, 2), [(4, 3, 3)], (1, 2, 2), r"\[2, 3, 3\].*\[4, 3, 3\]"),
        ((6, 2), [(1, 3, 3)], (1, 2, 2), r"\[2, 3, 3\].*\[1, 3, 3\]"),
        ((6, 2), [(2, 3)], (1, 2, 2), r"\[3, 3\].*\[2, 3\]"),
    ],
)
def test_wrong_shapes_are_named(kernel, x, graphs, weight, message):
    with pytest.raises(ValueError, match=message):
        ops.graph_mix(
            torch.zeros(x),
            [torch.zeros(shape) for shape in graphs],
            torch.zeros(weight),
        )


# Choice of the kernel ########################################################


@pytest.fixture
def used(monkeypatch):
    """The kernels that were called, in order."""
    calls = []
    for name, function in list(dispatch.KERNELS.items()):

        def spy(*args, name=name, function=function):
            calls.append(name)
            return function(*args)

        monkeypatch.setitem(dispatch.KERNELS, name, spy)
    return calls


def test_use_for_a_block(used):
    tensors = inputs()
    with ops.use("reference"):
        mix(*tensors)
        with ops.use("dense"):
            mix(*tensors)
        mix(*tensors)
    assert used == ["reference", "dense", "reference"]


def test_use_for_good(used):
    ops.use("dense")
    mix(*inputs())
    ops.use("reference")
    mix(*inputs())
    assert used == ["dense", "reference"]


def test_use_restores_after_an_error(used):
    with ops.use("reference"):
        with pytest.raises(RuntimeError, match="inside"), ops.use("dense"):
            raise RuntimeError("inside")
        mix(*inputs())
    assert used == ["reference"]


def test_auto_is_one_of_the_kernels(used):
    mix(*inputs())
    assert len(used) == 1


def test_unknown_kernel_changes_nothing(used):
    with ops.use("reference"):
        with pytest.raises(ValueError, match=r"'fastest'.*'auto', .*'dense'"):
            ops.use("fastest")
        mix(*inputs())
    assert used == ["reference"]


def in_a_new_process(kernel):
    code = """
import torch
from symgnn_pyg import ops
from symgnn_pyg.ops import dispatch
for name in ops.kernels():
    dispatch.KERNELS[name] = lambda *_, name=name: print(name)
ops.graph_mix(torch.zeros(2, 1), [torch.eye(2)], torch.zeros(1, 1, 1))
"""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SYMGNN_PYG_KERNEL": kernel},
        capture_output=True,
        text=True,
        check=False,
    )


def test_environment_variable():
    assert in_a_new_process("reference").stdout.split() == ["reference"]


def test_environment_variable_with_an_unknown_kernel():
    done = in_a_new_process("fastest")
    assert done.returncode != 0
    assert "No kernel is called 'fastest'" in done.stderr


# Autocast and compilation ####################################################


def test_autocast():
    tensors = inputs(dtype=torch.float)
    plain = mix(*tensors)
    with torch.autocast("cpu", torch.bfloat16):
        out = mix(*tensors)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), plain, rtol=0.05, atol=0.1)
    out.float().sum().backward()
    assert all(t.grad.dtype == torch.float for t in tensors)


def test_autocast_of_bfloat16_features():
    x, weight, *graphs = inputs(dtype=torch.float)
    with torch.autocast("cpu", torch.bfloat16):
        out = mix(x.bfloat16(), weight, *graphs)
    plain = mix(x, weight, *graphs)
    torch.testing.assert_close(out.float(), plain, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("name", ["auto", "dense", "reference"])
def test_compile(name):
    compiled = torch.compile(mix, fullgraph=True, backend="aot_eager")
    tensors = inputs()
    with ops.use(name):
        torch.testing.assert_close(compiled(*tensors), expected(*tensors))
        torch.testing.assert_close(
            grads(compiled, tensors), grads(expected, tensors)
        )

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from symgnn_pyg import ops

module = import_module("symgnn_pyg.ops.graph_mix")

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
    (2, 3, 0, 2, 3),
    (2, 3, 4, 2, 0),
    (2, 3, 4, 0, 3),
]
KINDS = ["shared", "per sample", "mixed"]


@pytest.fixture(autouse=True)
def _auto():
    with ops.use("auto"):
        yield


@pytest.fixture(params=ops.formula_names())
def formula(request):
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
def test_value_and_gradients(formula, size, kind):
    tensors = inputs(size, kind)
    out = mix(*tensors)
    n, v, t, _, d = size
    assert out.shape == (n * v, *([] if t is None else [t]), d)
    torch.testing.assert_close(out, expected(*tensors))
    torch.testing.assert_close(grads(mix, tensors), grads(expected, tensors))


def test_graphs_that_depend_on_the_features(formula):
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
def test_only_some_inputs_need_gradients(formula, needs):
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


@pytest.mark.parametrize(
    ("x", "graphs", "weight", "message"),
    [
        ((7, 2, 2), [(3, 3)], (1, 2, 2), r"7 rows \(shape \[7, 2, 2\]\).* 3 "),
        ((6, 2, 5), [(3, 3)], (1, 2, 2), r"2 channels.*\[6, 2, 5\]"),
        ((6,), [(3, 3)], (1, 6, 2), r"\[6\]"),
        ((6, 2), [(3, 3)], (2, 2, 2), r"each of the 1 graphs.*\[2, 2, 2\]"),
        ((6, 2), [(3, 3)] * 2, (1, 2, 2), r"each of the 2 graphs"),
        ((6, 2), [], (0, 2, 2), r"at least one graph.*\[0, 2, 2\]"),
        ((6, 2), [(3, 3)], (2, 2), r"\[2, 2\]"),
        ((6, 2), [(3, 3), (2, 2)], (2, 2, 2), r"\[3, 3\].*\[2, 2\]"),
        ((6, 2), [(4, 3, 3)], (1, 2, 2), r"\[2, 3, 3\].*\[4, 3, 3\]"),
        ((6, 2), [(1, 3, 3)], (1, 2, 2), r"\[2, 3, 3\].*\[1, 3, 3\]"),
        ((6, 2), [(2, 3)], (1, 2, 2), r"\[3, 3\].*\[2, 3\]"),
        ((6, 2), [(0, 0)], (1, 2, 2), r"\[0, 0\] has no joints"),
    ],
)
def test_wrong_shapes_are_named(formula, x, graphs, weight, message):
    with pytest.raises(ValueError, match=message):
        ops.graph_mix(
            torch.zeros(x),
            [torch.zeros(shape) for shape in graphs],
            torch.zeros(weight),
        )


def test_all_graphs_in_one_tensor(formula):
    x, weight, *graphs = inputs()
    stack = torch.stack([a.expand(3, 4, 4) for a in graphs], dim=1)
    torch.testing.assert_close(
        ops.graph_mix(x, stack, weight), expected(x, weight, *graphs)
    )
    # Stacked by joint first, as a decoder does to save a copy a step.
    stack = torch.stack([a.expand(3, 4, 4) for a in graphs], dim=2)
    torch.testing.assert_close(
        ops.graph_mix(x, stack.transpose(1, 2), weight),
        expected(x, weight, *graphs),
    )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 3), r"tensor \[N, 2, V, V\].*\[2, 3, 3\]"),
        ((2, 1, 3, 3), r"tensor \[N, 2, V, V\].*\[2, 1, 3, 3\]"),
        ((3, 2, 3, 3), r"\[2, 3, 3\].*\[3, 3, 3\]"),
        ((2, 2, 4, 4), r"6 rows.*4 joints"),
    ],
)
def test_wrong_shapes_of_one_tensor(formula, shape, message):
    with pytest.raises(ValueError, match=message):
        ops.graph_mix(
            torch.zeros(6, 2, 2), torch.zeros(shape), torch.zeros(2, 2, 2)
        )


# Samples of unequal sizes ####################################################

BATCHES = [
    [3],
    [2, 4],
    [3, 1, 3],
    [2, 2, 5, 2, 2, 2],
    [1, 6, 1],
    [3] * MANY + [4] + [3] * MANY,
]


def unequal(sizes, frames=3, width=2, out_width=3, dtype=torch.double):
    """Two graphs that samples of a size share, and one of each sample's own."""
    x = torch.randn(sum(sizes), frames, width, dtype=dtype)
    weight = torch.randn(3, width, out_width, dtype=dtype)
    shared = [
        {v: torch.randn(v, v, dtype=dtype) for v in sorted(set(sizes))}
        for _ in range(2)
    ]
    own = [torch.randn(v, v, dtype=dtype) for v in sizes]
    leaves = [x, weight, *own, *(m for kind in shared for m in kind.values())]
    for leaf in leaves:
        leaf.requires_grad_()
    return (
        x,
        [*([kind[v] for v in sizes] for kind in shared), own],
        weight,
        leaves,
    )


def one_by_one(x, graphs, weight):
    sizes = [matrix.size(0) for matrix in graphs[0]]
    parts = [
        expected(rows, weight, *(graph[n] for graph in graphs))
        for n, rows in enumerate(x.split(sizes))
    ]
    return torch.cat(parts)


@pytest.mark.parametrize("frames", [0, 1, 3])
@pytest.mark.parametrize("sizes", BATCHES)
def test_unequal_sizes(formula, sizes, frames):
    x, graphs, weight, leaves = unequal(sizes, frames)
    out = ops.graph_mix(x, graphs, weight)
    reference = one_by_one(x, graphs, weight)
    torch.testing.assert_close(out, reference)
    towards = torch.randn_like(out)
    torch.testing.assert_close(
        torch.autograd.grad(out, leaves, towards),
        torch.autograd.grad(reference, leaves, towards),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: [g[0], g[1], g[2][:-1]], r"\[2, 3, 2\] joints.*\(3, 3\)\]"),
        (lambda g: [g[0], g[1], g[2][::-1][1:] + g[2][:1]], r"one matrix"),
        (lambda g: [g[0], g[1], torch.zeros(3, 3)], r"sequence.*\[3, 3\]"),
        (lambda g: [h[:-1] for h in g], r"5 joints in total.*7 rows"),
        (
            lambda g: [[*h, torch.zeros(0, 0)] for h in g],
            r"no joints.*\[2, 3, 2, 0\]",
        ),
    ],
)
def test_wrong_shapes_of_unequal_sizes(formula, change, message):
    x, graphs, weight, _ = unequal([2, 3, 2])
    with pytest.raises(ValueError, match=message):
        ops.graph_mix(x, change(graphs), weight)


# Memory ######################################################################


def test_blocked_saves_its_inputs_alone():
    x, weight, *graphs = inputs((9, 4, 5, 6, 7))
    saved = []

    def keep(tensor):
        saved.append(tensor)
        return tensor

    with (
        ops.use("blocked"),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        mix(x, weight, *graphs)
    numbers = sum(tensor.numel() for tensor in saved)
    assert numbers <= x.numel() + weight.numel() + 9 * 3 * 4 * 4


# Choice of the formula #######################################################


def used(function, *arguments):
    """The formulas that a call uses, in order."""
    calls = []

    def spy(name, formula):
        def run(*inputs):
            calls.append(name)
            return formula(*inputs)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for name, formula in module.FORMULAS.items():
            patch.setitem(module.FORMULAS, name, spy(name, formula))
        function(*arguments)
    return calls


@pytest.mark.parametrize(
    ("size", "name"),
    [((32, 26, 50, 16, 16), "blocked"), ((1, 26, 1, 256, 256), "stacked")],
)
def test_choice_by_shape(size, name):
    with torch.no_grad():
        assert used(mix, *inputs(size)) == [name]


def test_use_acts_within_its_block_only():
    tensors = inputs()
    auto = used(mix, *tensors)

    def nested():
        with ops.use("reference"):
            mix(*tensors)
            with ops.use("dense"):
                mix(*tensors)
            mix(*tensors)

    with torch.no_grad():
        assert used(nested) == ["reference", "dense", "reference"]
        unentered = ops.use("reference")
        assert used(mix, *tensors) == auto
        with unentered:
            assert used(mix, *tensors) == ["reference"]
        assert used(mix, *tensors) == auto


def test_use_restores_after_an_error():
    with ops.use("reference"):
        with pytest.raises(RuntimeError, match="inside"), ops.use("dense"):
            raise RuntimeError("inside")
        with torch.no_grad():
            assert used(mix, *inputs()) == ["reference"]


def test_use_in_one_thread_leaves_others_alone():
    """Two threads that leave their blocks in the order they entered them."""
    entered, left = threading.Event(), threading.Event()
    chosen = []

    def other():
        with ops.use("dense"):
            entered.set()
            left.wait()
            chosen.append(module.chosen())

    with ThreadPoolExecutor() as pool:
        with ops.use("reference"):
            done = pool.submit(other)
            entered.wait()
            assert module.chosen() == "reference"
        left.set()
        done.result()
        assert chosen == ["dense"]
        assert pool.submit(module.chosen).result() == "auto"
    assert module.chosen() == "auto"


def test_unknown_formula_changes_nothing():
    with ops.use("reference"):
        with pytest.raises(ValueError, match=r"'auto'.*'dense'.*'fastest'"):
            ops.use("fastest").__enter__()
        assert module.chosen() == "reference"


def imported_anew(monkeypatch, formula):
    monkeypatch.setenv("SYMGNN_PYG_FORMULA", formula)
    spec = spec_from_file_location("anew", module.__file__)
    anew = module_from_spec(spec)
    spec.loader.exec_module(anew)
    return anew


def test_environment_variable(monkeypatch):
    assert imported_anew(monkeypatch, "reference").chosen() == "reference"


def test_environment_variable_with_an_unknown_formula(monkeypatch):
    with pytest.raises(ValueError, match="got 'fastest'"):
        imported_anew(monkeypatch, "fastest")


@pytest.mark.parametrize("name", ["blocked", "dense", "stacked"])
def test_a_counter_of_operations_sees_them_all(name):
    n, v, t, c, d = size = (3, 4, 5, 2, 3)
    tensors = inputs(size)
    with ops.use(name), FlopCounterMode(display=False) as counter:
        mix(*tensors)
    mixing, multiplying = 2 * n * v * v * t * c, 2 * n * v * t * c * d
    assert counter.get_total_flops() == 3 * (mixing + multiplying)


# Autocast and compilation ####################################################


@pytest.mark.parametrize("dtype", [torch.float, torch.bfloat16], ids=str)
def test_autocast(dtype):
    tensors = inputs(dtype=torch.float)
    plain = mix(*tensors)
    x, *rest = tensors
    with torch.autocast("cpu", torch.bfloat16):
        out = mix(x.to(dtype), *rest)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), plain, rtol=0.05, atol=0.1)
    out.float().sum().backward()
    assert all(t.grad.dtype == torch.float for t in tensors)


def test_compile(formula):
    torch.compiler.reset()
    compiled = torch.compile(
        mix, fullgraph=True, backend="aot_eager", dynamic=True
    )
    for size in (SIZES[0], SIZES[4], (5, 4, 5, 2, 3)):
        tensors = inputs(size)
        torch.testing.assert_close(compiled(*tensors), expected(*tensors))
        torch.testing.assert_close(
            grads(compiled, tensors), grads(expected, tensors)
        )


def test_compile_with_unequal_sizes(formula):
    torch.compiler.reset()
    x, graphs, weight, _ = unequal([2, 3, 2])
    compiled = torch.compile(ops.graph_mix, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(
        compiled(x, graphs, weight), one_by_one(x, graphs, weight)
    )


def test_export_holds_no_operator_of_ours():
    class Mix(torch.nn.Module):
        def forward(self, x, weight, *graphs):
            return mix(x, weight, *graphs)

    tensors = tuple(inputs((3, 4, 5, 20, 30)))
    program = torch.export.export(Mix(), tensors)
    torch.testing.assert_close(program.module()(*tensors), expected(*tensors))
    assert "symgnn_pyg" not in str(program.graph)

"""Every formula of every operator of `symgnn_pyg.ops` gives what its equation
gives, in value, gradient and second derivative, at sizes where formulas go
wrong, in float64, float32 and bfloat16.
"""

from functools import partial

import pytest
import torch

from symgnn_pyg import ops
from symgnn_pyg.ops.edge_mix import _mix
from symgnn_pyg.ops.edge_mix import _plain as edge_mix_plain
from symgnn_pyg.ops.edge_sums import sum_segments
from symgnn_pyg.testing import assert_formula_parity
from symgnn_pyg.testing.assert_formula_parity import SIZES


def randn(*shape):
    return torch.randn(*shape, dtype=torch.double)


def positive(*shape):
    """Long sums of such numbers grow, and show what is lost in them."""
    return torch.rand(*shape, dtype=torch.double)


# graph_mix ###################################################################


def forced(formula):
    def mix(**arguments):
        with ops.use(formula):
            return ops.graph_mix(**arguments)

    return mix


GRAPH_MIX = {name: forced(name) for name in ("auto", *ops.formula_names())}


def equal_samples(n, v, t, c):
    """With a graph that is shared, and one of each sample's own."""
    return {
        "x": positive(n * v, t, c),
        "graphs": [positive(v, v), randn(n, v, v)],
        "weight": randn(2, c, c + 1),
    }


def unequal_samples(n, v, t, c):
    """Of v, v + 1, v, ... joints."""
    sizes = [v + i % 2 for i in range(n)]
    return {
        "x": randn(sum(sizes), t, c),
        "graphs": [[randn(size, size) for size in sizes] for _ in range(2)],
        "weight": randn(2, c, c + 1),
    }


def einsum(x, graphs, weight):
    v = graphs[0].size(-1)
    n = x.size(0) // v
    stack = torch.stack([g.expand(n, v, v) for g in graphs], dim=1)
    samples = x.unflatten(0, (n, v))
    out = torch.einsum("nkij,njtc,kcd->nitd", stack, samples, weight)
    return out.flatten(0, 1)


def one_by_one(x, graphs, weight):
    sizes = [matrix.size(0) for matrix in graphs[0]]
    parts = [x.new_zeros(0, x.size(1), weight.size(2))]
    for n, rows in enumerate(x.split(sizes)):
        parts.append(einsum(rows, [graph[n] for graph in graphs], weight))
    return torch.cat(parts) + 0 * x.sum()


def test_graph_mix():
    assert_formula_parity(GRAPH_MIX, einsum, equal_samples)


def test_graph_mix_adds_up_many_blocks():
    # Wide enough for each sample to be a block of its own.
    sizes = {"wide": (40, 3, 100, 60)}
    formula = {"blocked": GRAPH_MIX["blocked"]}
    assert_formula_parity(
        formula, einsum, equal_samples, sizes, [torch.bfloat16]
    )


def test_graph_mix_of_unequal_samples():
    sizes = {**SIZES, "huge N": (21, 3, 1, 2)}
    assert_formula_parity(GRAPH_MIX, one_by_one, unequal_samples, sizes)


# edge_mix ####################################################################


def random_edges(n, v, t, c, wider):
    nodes, edges = n * v, 3 * n * v
    return {
        "x": positive(nodes, t, c + 1),
        "edge_index": torch.randint(max(1, nodes), (2, edges)),
        "edge_weight": positive(edges, 2),
        "weight": randn(2, c + 1, c + 2 if wider else c),
    }


def edge_by_edge(x, edge_index, edge_weight, weight):
    source, target = edge_index
    message = torch.einsum("ek,etc,kcd->etd", edge_weight, x[source], weight)
    out = x.new_zeros(*x.shape[:-1], weight.size(-1))
    return out.index_add(0, target, message)


@pytest.mark.parametrize("wider", [True, False])
def test_edge_mix(wider):
    assert_formula_parity(
        {
            "cpu": ops.edge_mix,
            "cuda": partial(_mix, sum_segments),
            "plain": edge_mix_plain,
        },
        edge_by_edge,
        partial(random_edges, wider=wider),
    )


# Operators on pairs of joints ################################################

# So wide that the pairs of many samples fill several blocks.
WIDTH = 16


def pairs(n, v, t, c, **more):
    return {"a": randn(n, v, WIDTH * c), "b": randn(n, v, WIDTH * c), **more}


def all_pairs(a, b, self_pairs):
    """Of each joint with its partners."""
    v = a.size(1)
    grid = (a.unsqueeze(2) + b.unsqueeze(1)).relu()
    if self_pairs:
        return grid
    others = ~torch.eye(v, dtype=torch.bool)
    return grid[:, others].unflatten(1, (v, v - 1))


@pytest.mark.parametrize("self_pairs", [True, False])
def test_pair_mean(self_pairs):
    def literal(a, b, self_pairs):
        grid = all_pairs(a, b, self_pairs)
        return grid.sum(dim=2) / max(1, grid.size(2))

    assert_formula_parity(
        {"pair_mean": ops.pair_mean},
        literal,
        partial(pairs, self_pairs=self_pairs),
    )


# difference ##################################################################


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_difference(order):
    def inputs(n, v, t, c):
        return {"x": randn(n * v, t, c), "order": order}

    def literal(x, order):
        now = torch.eye(x.size(1), dtype=x.dtype)
        step = now - now.roll(1, dims=0)
        step[:1] = 0
        return torch.linalg.matrix_power(step, order) @ x

    assert_formula_parity({"difference": ops.difference}, literal, inputs)


# What torch offers ###########################################################


def edges(x, weight, edge_weight):
    edge_index = torch.arange(24, device=x.device).view(2, 12) % 9
    return ops.edge_mix(x, edge_index, edge_weight, weight)


def leaves(*shapes):
    return [randn(*shape) for shape in shapes]


OPERATORS = {
    **{
        f"graph_mix-{name}": (
            lambda *inputs, name=name: GRAPH_MIX[name](
                x=inputs[0], graphs=[*inputs[2:]], weight=inputs[1]
            ),
            leaves((6, 2, 4), (2, 4, 3), (3, 3), (2, 3, 3)),
        )
        for name in GRAPH_MIX
    },
    "edge_mix": (edges, leaves((9, 2, 3), (2, 3, 2), (12, 2))),
    "pair_mean": (ops.pair_mean, leaves((2, 3, 4), (2, 3, 4))),
    "difference": (lambda x: ops.difference(x, 2), leaves((3, 5, 2))),
    "recompute": (
        lambda a, b: ops.recompute(lambda a, b: (a * b).sin() * b, a, b),
        leaves((3, 4), (3, 4)),
    ),
}


def plain(name):
    if name.startswith("graph_mix"):
        return lambda x, w, *graphs: einsum(x, graphs, w)
    if name == "edge_mix":
        index = torch.arange(24).view(2, 12) % 9
        return lambda x, w, e: edge_by_edge(x, index, e, w)
    if name == "recompute":
        return lambda a, b: (a * b).sin() * b
    return OPERATORS[name][0]


@pytest.fixture(params=OPERATORS)
def operator(request):
    function, inputs = OPERATORS[request.param]
    return function, plain(request.param), inputs


def test_transforms_of_functions(operator):
    function, expected, inputs = operator
    every = tuple(range(len(inputs)))
    tangents = tuple(map(torch.randn_like, inputs))
    for transform in (
        lambda f: torch.func.grad(lambda *x: f(*x).sin().sum(), every)(*inputs),
        lambda f: torch.func.vjp(f, *inputs)[1](torch.ones_like(f(*inputs))),
        lambda f: torch.func.jvp(f, tuple(inputs), tangents),
        lambda f: torch.func.jacrev(f, every)(*inputs),
    ):
        torch.testing.assert_close(transform(function), transform(expected))


def test_forward_mode(operator):
    function, expected, inputs = operator
    forward = torch.autograd.forward_ad
    with forward.dual_level():
        duals = [forward.make_dual(x, torch.ones_like(x)) for x in inputs]
        found = forward.unpack_dual(function(*duals)).tangent
        wanted = forward.unpack_dual(expected(*duals)).tangent
        torch.testing.assert_close(found, wanted)


def test_batched_gradients(operator):
    function, expected, inputs = operator
    inputs = [x.clone().requires_grad_() for x in inputs]
    towards = randn(3, *function(*inputs).shape)
    found, wanted = (
        torch.autograd.grad(f(*inputs), inputs, towards, is_grads_batched=True)
        for f in (function, expected)
    )
    torch.testing.assert_close(found, wanted)


def test_second_gradients_where_only_some_are_needed(operator):
    """A penalty on the gradient of one input, through frozen others."""
    function, expected, inputs = operator
    for needs in range(len(inputs)):
        some = [
            x.clone().requires_grad_(i == needs) for i, x in enumerate(inputs)
        ]
        found = []
        for f in (function, expected):
            loss = f(*some).pow(3).sum()
            (slope,) = torch.autograd.grad(loss, some[needs], create_graph=True)
            penalty = slope.square().sum()
            found += [slope, *torch.autograd.grad(penalty, some[needs])]
        torch.testing.assert_close(found[:2], found[2:])


def test_hooks_of_inputs_are_called_once(operator):
    function, _, inputs = operator
    inputs = [x.clone().requires_grad_() for x in inputs]
    calls = []
    for i, x in enumerate(inputs):
        x.register_hook(lambda grad, i=i: calls.append(i))
    function(*inputs).sum().backward()
    assert sorted(calls) == [*range(len(inputs))]


def test_two_backward_passes(operator):
    function, _, inputs = operator
    inputs = [x.clone().requires_grad_() for x in inputs]
    out = function(*inputs).sum()
    first = torch.autograd.grad(out, inputs, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(out, inputs), first)


def test_compiled(operator):
    function, expected, inputs = operator
    torch.compiler.reset()
    inputs = [x.clone().requires_grad_() for x in inputs]
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    out = compiled(*inputs)
    torch.testing.assert_close(out, expected(*inputs))
    torch.testing.assert_close(
        torch.autograd.grad(out.sum(), inputs),
        torch.autograd.grad(expected(*inputs).sum(), inputs),
    )


def test_on_the_meta_device(operator):
    function, _, inputs = operator
    shape = function(*inputs).shape
    inputs = [x.to("meta").requires_grad_() for x in inputs]
    out = function(*inputs)
    out.sum().backward()
    assert out.is_meta
    assert out.shape == shape


def test_what_recompute_saves():
    x = randn(3, 4).requires_grad_()
    saved, calls = [], []

    def function(x):
        calls.append(x.shape)
        return x.exp().sin().exp()

    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: saved.append(t) or t, lambda t: t
    ):
        out = ops.recompute(function, x)
    assert [t.data_ptr() for t in saved] == [x.data_ptr()]
    assert len(calls) == 1
    out.sum().backward()
    assert len(calls) == 2


def test_recompute_calls_once_where_nothing_needs_a_gradient():
    calls = []
    ops.recompute(lambda x: calls.append(x), randn(2))
    with torch.no_grad():
        ops.recompute(lambda x: calls.append(x), randn(2).requires_grad_())
    assert len(calls) == 2

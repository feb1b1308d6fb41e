"""Every kernel of every operator of `symgnn_pyg.ops` gives what the formula
gives, in value, gradient and second derivative, at sizes where kernels go
wrong, in float64, float32 and bfloat16.
"""

from functools import partial

import pytest
import torch

from symgnn_pyg import ops
from symgnn_pyg.ops import onednn
from symgnn_pyg.ops.activated_mean import _activated_mean_plain, activated_mean
from symgnn_pyg.ops.edge_mix import _mix
from symgnn_pyg.ops.edge_mix import _plain as edge_mix_plain
from symgnn_pyg.ops.edge_sums import sum_segments
from symgnn_pyg.ops.pair_linear import _pair_linear_plain, pair_linear
from symgnn_pyg.ops.pair_mean import _pair_mean_plain
from symgnn_pyg.testing import assert_kernel_parity
from symgnn_pyg.testing.assert_kernel_parity import SIZES


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def randn(*shape):
    return torch.randn(*shape, dtype=torch.double)


def positive(*shape):
    """Long sums of such numbers grow, and show what is lost in them."""
    return torch.rand(*shape, dtype=torch.double)


MANY_BLOCKS = {
    "sizes": {"huge N": SIZES["huge N"]},
    "dtypes": [torch.bfloat16],
}


# graph_mix ###################################################################


def forced(kernel):
    def mix(**arguments):
        with ops.use(kernel):
            return ops.graph_mix(**arguments)

    return mix


GRAPH_MIX = {name: forced(name) for name in ("auto", *ops.kernels())}


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
    assert_kernel_parity(GRAPH_MIX, einsum, equal_samples)


def test_graph_mix_adds_up_many_blocks(monkeypatch):
    monkeypatch.setattr(onednn, "ROWS", 6)
    kernel = {"onednn": GRAPH_MIX["onednn"]}
    assert_kernel_parity(kernel, einsum, equal_samples, **MANY_BLOCKS)


def test_graph_mix_of_unequal_samples():
    sizes = {**SIZES, "huge N": (21, 3, 1, 2)}
    assert_kernel_parity(GRAPH_MIX, one_by_one, unequal_samples, sizes)


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
    assert_kernel_parity(
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

    assert_kernel_parity(
        {"fused": ops.pair_mean, "plain": _pair_mean_plain},
        literal,
        partial(pairs, self_pairs=self_pairs),
    )


@pytest.mark.parametrize("self_pairs", [True, False])
def test_pair_linear(self_pairs):
    def inputs(n, v, t, c):
        weight = {"weight": randn(c + 1, WIDTH * c), "bias": randn(c + 1)}
        return pairs(n, v, t, c, **weight, self_pairs=self_pairs)

    def literal(a, b, weight, bias, self_pairs):
        y = all_pairs(a, b, self_pairs) @ weight.t() + bias
        rows = y.flatten(0, 2)
        count = max(1, rows.size(0))
        mean = rows.sum(dim=0) / count
        return y, mean, (rows - mean).square().sum(dim=0) / count

    # In bfloat16 derivatives of the variance that are zero are what rounding
    # leaves of them.
    assert_kernel_parity(
        {"fused": pair_linear, "plain": _pair_linear_plain},
        literal,
        inputs,
        dtypes=(torch.float64, torch.float32),
    )


def test_activated_mean():
    def inputs(n, v, t, c):
        # Far from the kink, where rounding decides about the derivative.
        active = randn(n, v, t, WIDTH * c)
        active = active + active.sign()
        scale, shift = 1 + randn(WIDTH * c).abs(), randn(WIDTH * c)
        y = (active - shift) / scale
        return {"y": y, "scale": scale, "shift": shift}

    def literal(y, scale, shift):
        return (y * scale + shift).relu().sum(dim=2) / max(1, y.size(2))

    assert_kernel_parity(
        {"fused": activated_mean, "plain": _activated_mean_plain},
        literal,
        inputs,
    )


# difference ##################################################################


@pytest.mark.parametrize("order", [0, 1, 2])
def test_difference(order):
    def inputs(n, v, t, c):
        return {"x": randn(n * v, t, c), "order": order}

    def literal(x, order):
        now = torch.eye(x.size(1), dtype=x.dtype)
        step = now - now.roll(1, dims=0)
        step[:1] = 0
        return torch.linalg.matrix_power(step, order) @ x

    assert_kernel_parity({"difference": ops.difference}, literal, inputs)

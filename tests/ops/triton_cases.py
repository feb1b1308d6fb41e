"""What the kernel "triton" is held to, on CPU tensors in Triton's interpreter:
`TRITON_INTERPRET=1 python -m pytest tests/ops/triton_cases.py`, which
`test_triton.py` runs.
"""

import pytest
import torch
import triton

from symgnn_pyg import ops
from symgnn_pyg.ops import triton as fused
from symgnn_pyg.ops.triton import kernels, launch
from symgnn_pyg.testing import assert_formula_parity
from symgnn_pyg.testing.compare import compare

# Relative to the largest number. A mix is rounded to half precision once, and
# so is the result.
BOUNDS = {torch.float: 5e-6, torch.half: 2e-3, torch.bfloat16: 1.6e-2}


@pytest.fixture(autouse=True)
def _triton_alone(monkeypatch):
    def fail(obstacle):
        raise AssertionError(obstacle)

    torch.manual_seed(0)
    monkeypatch.setattr(fused, "_log", fail)
    # The interpreter runs one program after another.
    monkeypatch.setattr(launch, "PROGRAMS", 4)
    with ops.use("triton"):
        yield


def by_triton(x, graphs, weight):
    with ops.use("triton"):
        return ops.graph_mix(x, graphs, weight)


def by_formula(x, graphs, weight):
    with ops.use("reference"):
        return ops.graph_mix(x, graphs, weight)


def inputs(n, v, p, c, d, k, dtype=torch.float):
    """Graphs of which every other one is shared."""
    x = torch.randn(n * v, p, c, dtype=dtype)
    graphs = [
        torch.randn(*[n][: i % 2], v, v, dtype=dtype) / v**0.5 for i in range(k)
    ]
    return x, graphs, torch.randn(k, c, d, dtype=dtype) / (k * c) ** 0.5


def unequal(sizes, p, c, d, k, dtype=torch.float):
    x = torch.randn(sum(sizes), p, c, dtype=dtype)
    graphs = [[torch.randn(v, v, dtype=dtype) for v in sizes] for _ in range(k)]
    return x, graphs, torch.randn(k, c, d, dtype=dtype)


def leaves(x, graphs, weight):
    flat = [g for graph in graphs for g in graph] if graphs else []
    matrices = flat if isinstance(graphs[0], list) else graphs
    return [x, weight, *matrices]


def values_and_gradients(function, arguments):
    every = [t.requires_grad_() for t in leaves(*arguments)]
    out = function(*arguments)
    towards = torch.linspace(-1, 1, out.numel()).view_as(out)
    found = [out, *torch.autograd.grad(out, every, towards.to(out.dtype))]
    return dict(enumerate(found))


def double(argument):
    if isinstance(argument, list):
        return [double(each) for each in argument]
    return argument.detach().double()


def check(arguments, broken):
    found = values_and_gradients(by_triton, arguments)
    exact = [double(argument) for argument in arguments]
    expected = values_and_gradients(by_formula, exact)
    dtype = arguments[0].dtype
    assert {t.dtype for t in found.values()} == {dtype}
    compare(found, expected, broken, BOUNDS[dtype])


# N, V, P, C_in, C_out, K: sizes at and around the edges of the tiles, and
# channels in one tile and in several.
SIZES = [
    (1, 1, 1, 1, 1, 1),
    (2, 17, 3, 3, 8, 2),
    (1, 25, 3, 16, 20, 3),
    (2, 32, 1, 40, 64, 2),
    (1, 33, 3, 64, 20, 1),
    (1, 64, 2, 3, 1, 2),
    (1, 4, 18, 16, 8, 2),
    (1, 5, 2, 130, 140, 1),
]


@pytest.mark.parametrize("size", SIZES)
def test_values_and_gradients(size):
    check(inputs(*size), f"triton at {size}")


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16])
@pytest.mark.parametrize("size", [SIZES[1], SIZES[-1]])
def test_rounded_numbers(size, dtype):
    check(inputs(*size, dtype), f"triton at {size}")


@pytest.mark.parametrize("dtype", BOUNDS)
def test_unequal_sizes(dtype):
    check(unequal([17, 1, 9], 3, 16, 20, 2, dtype), "triton")


@pytest.mark.parametrize("length", [1, 2, 8, 16])
def test_all_lengths_of_tiles(monkeypatch, length):
    for name in ("mix", "graph_gradient", "weight_gradient"):
        tuner = getattr(kernels, name)
        config = triton.Config({"FRAMES": length})
        monkeypatch.setattr(tuner, "configs", [config])
    check(inputs(1, 5, 9, 3, 8, 2), f"triton in tiles of {length} frames")


@pytest.mark.parametrize("programs", [1, 12])
def test_one_share_and_more_than_there_are_tiles(monkeypatch, programs):
    monkeypatch.setattr(launch, "PROGRAMS", programs)
    check(unequal([5, 2], 9, 3, 8, 2), "triton")


def test_second_derivatives_and_orders_in_memory():
    assert_formula_parity(
        {"triton": lambda x, graphs, weight: by_triton(x, graphs, weight)},
        by_formula,
        lambda n, v, p, c: {
            "x": torch.randn(n * v, p, c).double(),
            "graphs": [torch.randn(v, v).double(), torch.randn(n, v, v)],
            "weight": torch.randn(2, c, 3).double(),
        },
        {
            "odd sizes": (3, 5, 3, 3),
            "N = 0": (0, 5, 7, 3),
            "T = 0": (3, 4, 0, 2),
        },
        [torch.float, torch.bfloat16],
    )


def test_strided_graphs():
    """A flat view of it does not hold neighbours side by side."""
    x, _, weight = inputs(2, 3, 4, 2, 5, 2)
    stack = torch.randn(2, 2, 3, 3, 2)[..., 0]
    torch.testing.assert_close(
        by_triton(x, stack, weight), by_formula(x, stack, weight)
    )


def test_strided_gradient():
    arguments = inputs(2, 3, 4, 2, 5, 2)
    every = [t.requires_grad_() for t in leaves(*arguments)]
    found = torch.autograd.grad(by_triton(*arguments).sum(), every)
    expected = torch.autograd.grad(by_formula(*arguments).sum(), every)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("hole", ["n", "p", "c", "d"])
def test_no_samples_frames_or_channels(hole):
    size = {"n": 2, "v": 3, "p": 4, "c": 2, "d": 5, "k": 2} | {hole: 0}
    x, graphs, _ = inputs(*(size | {"c": max(1, size["c"])}).values())
    x, weight = x[..., : size["c"]], torch.randn(2, size["c"], size["d"])
    every = [t.requires_grad_() for t in leaves(x, graphs, weight)]
    out = by_triton(x, graphs, weight)
    assert torch.equal(out, torch.zeros(size["n"] * 3, size["p"], size["d"]))
    for leaf, grad in zip(
        every, torch.autograd.grad(out.sum(), every), strict=True
    ):
        assert torch.equal(grad, torch.zeros_like(leaf))


def test_no_samples_of_unequal_sizes():
    x, graphs, weight = unequal([], 4, 2, 5, 2)
    every = [x.requires_grad_(), weight.requires_grad_()]
    out = by_triton(x, graphs, weight)
    assert out.shape == (0, 4, 5)
    found = torch.autograd.grad(out.sum(), every)
    assert torch.equal(found[1], torch.zeros_like(weight))


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_what_is_no_number_stays_in_its_frame_and_sample():
    x, graphs, weight = unequal([5, 3, 5], 6, 3, 4, 2)
    x[6, 2] = torch.nan
    graphs[1][2].fill_(torch.inf)
    wrong = ~by_triton(x, graphs, weight).isfinite().all(dim=-1)
    expected = torch.zeros(13, 6, dtype=torch.bool)
    expected[5:8, 2] = True
    expected[8:] = True
    assert torch.equal(wrong, expected)


def test_two_runs_find_the_same_bits():
    arguments = unequal([5, 3], 9, 3, 4, 2)
    first, second = (
        values_and_gradients(by_triton, arguments) for _ in range(2)
    )
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("order", ["", "_backward"])
def test_registration(order):
    x, _, weight = inputs(1, 3, 1, 2, 2, 1)
    arguments = [x, torch.randn(9), weight, [3]]
    if order:
        arguments = [torch.randn(3, 1, 2), *arguments, [True, False, True]]
    for tensor in arguments:
        # Second derivatives are those of the dense formula.
        if isinstance(tensor, torch.Tensor) and not order:
            tensor.requires_grad_()
    torch.library.opcheck(
        getattr(torch.ops.symgnn_pyg, f"graph_mix_triton{order}").default,
        tuple(arguments),
    )


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(dynamic):
    torch.compiler.reset()
    compiled = torch.compile(
        ops.graph_mix, fullgraph=True, backend="aot_eager", dynamic=dynamic
    )
    for n, v in ((2, 4), (3, 5)):
        arguments = inputs(n, v, 1, 2, 3, 1)
        compare(
            values_and_gradients(compiled, arguments),
            values_and_gradients(by_triton, arguments),
            "triton, compiled",
            BOUNDS[torch.float],
        )


def test_autocast():
    arguments = inputs(2, 4, 3, 2, 3, 2)
    with torch.autocast("cpu", torch.bfloat16):
        out = by_triton(*arguments)
    assert out.dtype == torch.bfloat16

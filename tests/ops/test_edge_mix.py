import itertools
from functools import partial

import pytest
import torch
from torch.autograd import forward_ad
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from symgnn_pyg import ops
from symgnn_pyg.ops.edge_mix import _mix, _plain
from symgnn_pyg.ops.edge_sums import sum_segments

EDGES = {
    "unsorted": [[4, 0, 2, 1, 0], [0, 2, 1, 4, 4]],
    "repeated": [[1, 1, 1, 3, 1], [0, 0, 2, 2, 0]],
    "self-loops": [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]],
    "one target": [[0, 1, 2, 3, 4], [3, 3, 3, 3, 3]],
    "none": [[], []],
}
# Dimensions between the nodes and the channels, C_in, C_out, K.
SIZES = [
    ((), 2, 3, 2),
    ((3,), 2, 2, 1),
    ((3,), 3, 2, 2),
    ((2, 3), 2, 4, 3),
    ((2, 3), 4, 1, 3),
    ((0,), 2, 3, 2),
]


# What either device takes is computed on a CPU.
FORMULAS = {"cpu": ops.edge_mix, "cuda": partial(_mix, sum_segments)}


@pytest.fixture(params=FORMULAS)
def formula(request):
    return FORMULAS[request.param]


def inputs(size=SIZES[2], edges="unsorted", dtype=torch.double, num_nodes=5):
    between, c, d, k = size
    edge_index = torch.tensor(EDGES[edges], dtype=torch.long)
    x = torch.randn(num_nodes, *between, c, dtype=dtype)
    edge_weight = torch.randn(edge_index.size(1), k, dtype=dtype)
    weight = torch.randn(k, c, d, dtype=dtype)
    tensors = [t.requires_grad_() for t in (x, edge_weight, weight)]
    return edge_index, tensors


def mix(edge_index, formula=ops.edge_mix):
    return lambda x, edge_weight, weight: formula(
        x, edge_index, edge_weight, weight
    )


def expected(edge_index):
    def edge_by_edge(x, edge_weight, weight):
        x, weight = x.double(), weight.double()
        shape = (*x.shape[1:-1], weight.size(-1))
        rows = [x.new_zeros(shape) for _ in x]
        for edge, (j, i) in enumerate(edge_index.t().tolist()):
            for k, w in enumerate(weight):
                e = 1 if edge_weight is None else edge_weight[edge, k].double()
                rows[i] = rows[i] + e * x[j] @ w
        return torch.stack(rows)

    return edge_by_edge


def grads(function, tensors, **options):
    out = function(*tensors)
    towards = torch.linspace(-1, 1, out.numel()).view_as(out).to(out)
    return torch.autograd.grad(out, tensors, towards, **options)


@pytest.mark.parametrize("edges", [name for name in EDGES if name != "none"])
@pytest.mark.parametrize("size", SIZES)
def test_value_and_gradients(size, edges, formula):
    edge_index, tensors = inputs(size, edges)
    out = mix(edge_index, formula)(*tensors)
    torch.testing.assert_close(out, expected(edge_index)(*tensors))
    torch.testing.assert_close(
        grads(mix(edge_index, formula), tensors),
        grads(expected(edge_index), tensors),
    )


@pytest.mark.parametrize("size", SIZES)
def test_no_edges(size):
    edge_index, tensors = inputs(size, "none")
    out = mix(edge_index)(*tensors)
    assert out.shape == (5, *size[0], size[2])
    assert out.eq(0).all()
    for grad, tensor in zip(
        grads(mix(edge_index), tensors), tensors, strict=True
    ):
        torch.testing.assert_close(grad, torch.zeros_like(tensor))


def test_several_runs_of_nodes(dtype, formula):
    """A CPU computes four rows of 1 MiB at a time."""
    edge_index = torch.randint(11, (2, 30))
    size = 2**20 // torch.empty(0, dtype=dtype).element_size() // 2
    tensors = [
        torch.randn(11, size, 2, dtype=dtype, requires_grad=True),
        torch.randn(30, 2, dtype=dtype, requires_grad=True),
        torch.randn(2, 2, 2, dtype=dtype, requires_grad=True),
    ]
    exact = [t.detach().double().requires_grad_() for t in tensors]
    found, wanted = (
        (function(*inputs), *grads(function, inputs))
        for function, inputs in (
            (mix(edge_index, formula), tensors),
            (mix(edge_index, _plain), exact),
        )
    )
    for got, right in zip(found, wanted, strict=True):
        assert (got - right).norm() < 1e-5 * right.norm()


@pytest.mark.parametrize("size", [((3,), 2, 4, 1), ((), 4, 2, 1)])
def test_no_weights_are_ones(size, formula):
    edge_index, (x, _, weight) = inputs(size, "repeated")

    def apply(x, weight):
        return formula(x, edge_index, None, weight)

    ones = torch.ones(5, 1)
    torch.testing.assert_close(
        apply(x, weight), expected(edge_index)(x, ones, weight)
    )
    assert torch.autograd.gradcheck(apply, (x, weight))
    assert torch.autograd.gradgradcheck(apply, (x, weight))


def test_third_derivatives(formula):
    edge_index, (x, edge_weight, weight) = inputs(((), 2, 2, 1))

    def curvature(x, edge_weight, weight):
        out = (
            mix(edge_index, formula)(x.tanh(), edge_weight, weight)
            .square()
            .sum()
        )
        (slope,) = torch.autograd.grad(out, edge_weight, create_graph=True)
        return slope

    assert torch.autograd.gradgradcheck(curvature, (x, edge_weight, weight))


@pytest.mark.parametrize(
    "needs", list(itertools.product([True, False], repeat=3))[:-1]
)
def test_only_some_inputs_need_gradients(needs, formula):
    edge_index, tensors = inputs()
    every = grads(mix(edge_index, formula), tensors)
    some = [
        t.detach().requires_grad_(need)
        for t, need in zip(tensors, needs, strict=True)
    ]
    out = mix(edge_index, formula)(*some)
    out.backward(torch.linspace(-1, 1, out.numel()).view_as(out).to(out))
    for tensor, need, grad in zip(some, needs, every, strict=True):
        if need:
            torch.testing.assert_close(tensor.grad, grad)
        else:
            assert tensor.grad is None
    wanted = [t for t in some if t.requires_grad]
    (grad, *_) = torch.autograd.grad(
        mix(edge_index, formula)(*some).sin().sum(), wanted, create_graph=True
    )
    grad.square().sum().backward()


def test_weights_take_the_type_of_the_features():
    edge_index, (x, edge_weight, weight) = inputs()
    single = edge_weight.detach().float().requires_grad_()
    out = mix(edge_index)(x, single, weight)
    torch.testing.assert_close(
        out, expected(edge_index)(x, single.double(), weight)
    )
    out.sum().backward()
    assert single.grad.dtype == torch.float


def test_inputs_are_left_alone(formula):
    edge_index, tensors = inputs()
    before = [t.detach().clone() for t in (edge_index, *tensors)]
    mix(edge_index, formula)(*tensors).sum().backward()
    torch.testing.assert_close(
        [t.detach() for t in (edge_index, *tensors)], before
    )


def largest_bytes(run):
    """The bytes of the largest tensor that is allocated meanwhile."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as p:
        run()
    return max(event.self_cpu_memory_usage for event in p.events())


@pytest.mark.parametrize("channels", [(2, 3), (3, 2)])
def test_messages_are_never_made(channels):
    edge_index = torch.randint(10, (2, 400))
    x = torch.randn(10, 8, channels[0], requires_grad=True)
    edge_weight = torch.randn(400, 2, requires_grad=True)
    weight = torch.randn(2, *channels, requires_grad=True)
    tensors = (x, edge_weight, weight)
    messages = 4 * 400 * 8 * min(channels)
    assert largest_bytes(lambda: x[edge_index[0]]) >= messages
    assert largest_bytes(lambda: grads(mix(edge_index), tensors)) < messages


def test_only_inputs_are_saved(formula):
    edge_index, tensors = inputs()
    saved = set()

    def pack(tensor):
        saved.add(tensor.data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        mix(edge_index, formula)(*tensors)
    assert saved == {t.data_ptr() for t in (edge_index, *tensors)}


# Errors #####################################################################


@pytest.mark.parametrize(
    ("x", "edge_index", "edge_weight", "weight", "message"),
    [
        ((4, 2), (2, 3), (3, 1), (1, 3, 2), r"'x' with 3 chan.*\[4, 2\]"),
        ((4,), (2, 3), (3, 1), (1, 4, 2), r"'x'.*\[4\]"),
        ((4, 2), (2, 3), (3, 1), (2, 2), r"'weight'.*\[2, 2\]"),
        ((4, 2), (3, 2), (3, 1), (1, 2, 2), r"'edge_index'.*\[3, 2\]"),
        ((4, 2), (2,), (3, 1), (1, 2, 2), r"'edge_index'.*\[2\]"),
        ((4, 2), (2, 3), (2, 1), (1, 2, 2), r"'edge_weight'.*\[3, 1\].*\[2, 1"),
        ((4, 2), (2, 3), (3, 2), (1, 2, 2), r"'edge_weight'.*\[3, 1\].*\[3, 2"),
        ((4, 2), (2, 3), (3,), (1, 2, 2), r"'edge_weight'.*\[3, 1\].*\[3\]"),
        ((4, 2), (2, 3), None, (2, 2, 2), r"'edge_weight'.*\[3, 2\].*None"),
    ],
)
def test_wrong_shapes_are_named(x, edge_index, edge_weight, weight, message):
    with pytest.raises(ValueError, match=message):
        ops.edge_mix(
            torch.zeros(x),
            torch.zeros(edge_index, dtype=torch.long),
            None if edge_weight is None else torch.zeros(edge_weight),
            torch.zeros(weight),
        )


def test_wrong_types_are_named():
    edge_index, (x, edge_weight, weight) = inputs()
    with pytest.raises(ValueError, match=r"'edge_index'.*torch\.int32"):
        ops.edge_mix(x, edge_index.int(), edge_weight, weight)
    with pytest.raises(ValueError, match=r"torch\.float64 and torch\.float32"):
        ops.edge_mix(x, edge_index, edge_weight, weight.float())


@pytest.mark.parametrize("pair", [(1, 5), (5, 1), (-1, 0), (0, -7), (2**40, 0)])
def test_nodes_out_of_range_are_named(pair):
    edge_index, tensors = inputs()
    edge_index[:, 3] = torch.tensor(pair)
    message = f"below 5, .* edge 3 from node {pair[0]} to node {pair[1]}$"
    with pytest.raises(ValueError, match=message):
        mix(edge_index)(*tensors)


# Autocast, compilation and export ############################################


@pytest.mark.parametrize("dtype", [torch.float, torch.bfloat16], ids=str)
def test_autocast(dtype):
    edge_index, tensors = inputs(dtype=torch.float)
    plain = mix(edge_index)(*tensors)
    x, edge_weight, weight = tensors
    with torch.autocast("cpu", torch.bfloat16):
        out = mix(edge_index)(x.to(dtype), edge_weight, weight)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), plain, rtol=0.05, atol=0.1)
    out.float().sum().backward()
    assert all(t.grad.dtype == torch.float for t in tensors)


def test_autocast_leaves_float64_alone():
    edge_index, tensors = inputs()
    with torch.autocast("cpu", torch.bfloat16):
        out = mix(edge_index)(*tensors)
        slopes = grads(mix(edge_index), tensors)
    torch.testing.assert_close(out, expected(edge_index)(*tensors))
    torch.testing.assert_close(slopes, grads(expected(edge_index), tensors))


def test_backward_under_autocast_keeps_the_type(formula):
    edge_index, tensors = inputs(dtype=torch.float)
    out = mix(edge_index, formula)(*tensors).sum()
    wanted = torch.autograd.grad(out, tensors, retain_graph=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = torch.autograd.grad(out, tensors)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("size", [SIZES[2], SIZES[3]])
def test_compile(size):
    torch._dynamo.reset()
    edge_index, tensors = inputs(size)
    compiled = torch.compile(
        mix(edge_index), fullgraph=True, backend="aot_eager", dynamic=True
    )
    torch.testing.assert_close(
        compiled(*tensors), expected(edge_index)(*tensors)
    )
    torch.testing.assert_close(
        grads(compiled, tensors), grads(expected(edge_index), tensors)
    )


class Module(torch.nn.Module):
    def forward(self, x, edge_index, edge_weight, weight):
        return ops.edge_mix(x, edge_index, edge_weight, weight)


def test_exported_programs_hold_plain_operators():
    edge_index, tensors = inputs()
    x, edge_weight, weight = (t.detach() for t in tensors)
    nodes, edges = torch.export.Dim("nodes"), torch.export.Dim("edges")
    program = torch.export.export(
        Module(),
        (x, edge_index, edge_weight, weight),
        dynamic_shapes=({0: nodes}, {1: edges}, {0: edges}, None),
    )
    assert "symgnn_pyg" not in str(program.graph)
    edge_index = edge_index[:, :3]
    arguments = (x[:5], edge_index, edge_weight[:3], weight)
    torch.testing.assert_close(
        program.module()(*arguments),
        expected(edge_index)(x, edge_weight[:3], weight),
    )


# Derivatives of other kinds ##################################################


def both(edge_index, formula):
    """The formula as functions of three tensors, and what it must equal."""
    return mix(edge_index, formula), mix(edge_index, _plain)


def test_gradcheck(formula):
    edge_index, tensors = inputs(((), 2, 3, 2), "repeated")
    function = mix(edge_index, formula)
    assert torch.autograd.gradcheck(
        function,
        tensors,
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
    )
    assert torch.autograd.gradgradcheck(
        function,
        tensors,
        check_fwd_over_rev=True,
        check_batched_grad=True,
    )


def scalar(function):
    return lambda *tensors: function(*tensors).sin().sum()


TRANSFORMS = {
    "jacfwd": lambda f: torch.func.jacfwd(f, (0, 1, 2)),
    "hessian": lambda f: torch.func.hessian(scalar(f), (0, 1, 2)),
    "jacrev of jacrev": lambda f: torch.func.jacrev(
        torch.func.jacrev(scalar(f), (0, 1, 2)), (0, 1, 2)
    ),
    "jvp of grad": lambda f: (
        lambda *t: torch.func.jvp(torch.func.grad(scalar(f), (0, 1, 2)), t, t)
    ),
    "grad of one": lambda f: (
        lambda x, e, w: torch.func.grad(lambda e: f(x, e, w).sin().sum())(e)
    ),
    "vmap over one": lambda f: (
        lambda x, e, w: torch.vmap(lambda e: f(x, e, w))(
            torch.stack([e, 2 * e])
        )
    ),
    "vmap over another tensor": lambda f: (
        lambda *t: torch.vmap(lambda scale: scale * f(*t))(
            torch.ones(3).double()
        )
    ),
    "grad of vmap": lambda f: (
        lambda *t: torch.func.grad(
            lambda x: torch.vmap(lambda c: f(c * x, *t[1:]))(
                torch.arange(2)
            ).sum()
        )(t[0])
    ),
    "per-sample gradients": lambda f: (
        lambda x, e, w: torch.vmap(
            torch.func.grad(lambda w, x: f(x, e, w).sin().sum()), (None, 0)
        )(w, torch.stack([x, 2 * x]))
    ),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_transforms(transform, formula):
    edge_index, tensors = inputs(((2,), 2, 3, 2))
    found, wanted = (
        TRANSFORMS[transform](function)(*tensors)
        for function in both(edge_index, formula)
    )
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("place", range(3))
def test_forward_over_reverse(place, create_graph, formula):
    edge_index, tensors = inputs()
    results = []
    for function in both(edge_index, formula):
        with forward_ad.dual_level():
            duals = list(tensors)
            duals[place] = forward_ad.make_dual(duals[place], duals[place])
            slopes = torch.autograd.grad(
                function(*duals).sin().sum(), duals, create_graph=create_graph
            )
            results.append([forward_ad.unpack_dual(s)[:] for s in slopes])
    torch.testing.assert_close(*results)


def test_forward_over_reverse_after_a_plain_forward_pass(formula):
    """Where only the gradient that goes back has a tangent."""
    edge_index, tensors = inputs()
    results = []
    for function in both(edge_index, formula):
        out = function(*tensors)
        with forward_ad.dual_level():
            towards = torch.linspace(-1, 1, 30).double().view_as(out)
            dual = forward_ad.make_dual(towards, 2 * towards)
            slopes = torch.autograd.grad(out, tensors, dual)
            results.append([forward_ad.unpack_dual(s)[:] for s in slopes])
    torch.testing.assert_close(*results)


def test_products_are_counted(formula):
    edge_index, tensors = inputs()
    with FlopCounterMode(display=False) as counter:
        mix(edge_index, formula)(*tensors).sum().backward()
    products = 2 * tensors[0].numel() * tensors[2][:, 0].numel()
    assert counter.get_total_flops() == 4 * products

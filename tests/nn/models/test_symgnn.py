import copy

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymbioticLoss, SymGNN
from tests.conftest import TINY

LAYOUTS = ["ntu25", "kinetics18", "h36m20", "cmu26"]
N, V, T, K, STEPS = 3, 5, 8, 4, 2
VARIANTS = {
    "default": {},
    "no structural": {"use_structural": False},
    "no actional": {"use_actional": False},
    "no part": {"use_parts": False},
    "part alone": {"use_structural": False, "use_actional": False},
    "structural alone": {"use_actional": False, "use_parts": False},
    "actional alone": {"use_structural": False, "use_parts": False},
    "no recognition": {"num_classes": 0},
    "no prediction": {"num_future": 0},
    "position": {"orders": (0,)},
    "velocity": {"orders": (1,)},
    "position and velocity": {"orders": (0, 1)},
    "acceleration first": {"orders": (2, 0)},
    "one hop": {"num_hops": 1},
    "two hops": {"num_hops": 2},
    "four hops": {"num_hops": 4},
    "lambda": {"lambda_": 0.1},
    "lambda one": {"lambda_": 1.0},
    "one iteration": {"num_iterations": 1},
    "three iterations": {"num_iterations": 3},
    "four iterations": {"num_iterations": 4},
    "activated pairs": {"plain_last": False},
    "self pairs": {"self_pairs": True},
    "no fusion": {"fusion": ()},
    "dropout": {"dropout": 0.5},
    "two channels": {"in_channels": 2},
}
SMALLER = [
    "no structural",
    "no actional",
    "no part",
    "part alone",
    "structural alone",
    "actional alone",
    "no recognition",
    "no prediction",
    "position",
    "position and velocity",
    "one hop",
    "one iteration",
    "no fusion",
]


def size(net):
    return sum(p.numel() for p in net.parameters())


def train_a_little(net, num_joints, channels=3):
    """Moves all statistics and the last layer away from their start."""
    observed = net.num_observed
    if net.prediction_head is not None:
        torch.nn.init.normal_(
            net.prediction_head.step.out.lins[-1].weight, std=0.1
        )
    dtype = next(net.parameters()).dtype
    for _ in range(20):
        net(torch.randn(8 * num_joints, observed, channels, dtype=dtype))
    return net.eval()


@pytest.fixture
def net(arm):
    return train_a_little(SymGNN(arm, K, **TINY).double(), V)


@pytest.fixture
def x():
    return torch.randn(N * V, T, 3, dtype=torch.double)


# Shapes ######################################################################


def check_shapes(net, skeleton, steps, width):
    v = skeleton.num_joints
    out = net(torch.randn(2 * v, net.num_observed, 3))
    assert out.logits.shape == (2, K)
    assert out.future.shape == (2 * v, steps, 3)
    assert out.actional.shape == (2, v, v)
    assert out.shared.shape == (2 * v, width)


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize(
    ("build", "channels"),
    [(SymGNN.light, (2, 2, 4, 4)), (SymGNN.full, (2,) * 9)],
)
def test_published_networks_on_every_layout(build, channels, name, dual):
    skeleton = Skeleton.get(name)
    skeleton = skeleton.dual() if dual else skeleton
    net = build(
        skeleton,
        K,
        channels=channels,
        hidden_channels=8,
        num_observed=9,
        num_future=2,
    )
    # A fusion after the last block doubles the width.
    doubled = 2 if build == SymGNN.light else 1
    check_shapes(net, skeleton, 2, 3 * doubled * channels[-1])


def test_light_as_published():
    skeleton = Skeleton.get("cmu26")
    net = SymGNN.light(skeleton, K, num_future=3)
    check_shapes(net, skeleton, 3, 3 * 512)
    for branch in net.branches:
        assert len(branch.joint_blocks) == 4
        assert len(branch.part_blocks) == 3
        widths = [b.graph_conv.out_channels for b in branch.joint_blocks]
        assert widths == [32, 64, 128, 256]
        strides = [b.stride for b in branch.joint_blocks]
        assert strides == [1, 2, 2, 2]
        assert branch.joint_blocks[0].graph_conv.weight.size(0) == 3 + 1
    assert net.num_observed == 50


def test_full_as_published():
    net = SymGNN.full(Skeleton.get("ntu25"), K)
    assert net.num_observed == 290
    for branch in net.branches:
        assert len(branch.joint_blocks) == 9
        assert len(branch.part_blocks) == 8
        blocks = branch.joint_blocks
        assert [b.stride for b in blocks] == [1, 1, 1, 2, 1, 1, 2, 1, 1]
        # What follows a fusion is twice as wide as what comes before it.
        assert [b.graph_conv.in_channels for b in blocks] == [
            3, 64, 64, 128, 128, 128, 256, 256, 256,
        ]  # fmt: skip
        assert blocks[0].graph_conv.weight.size(0) == 4 + 1


def test_arguments_reach_the_network(arm):
    net = SymGNN.full(arm, K, **TINY)
    assert net.num_observed == T
    assert size(net) == size(SymGNN(arm, K, **TINY))


# Variants ####################################################################


@pytest.mark.parametrize("name", list(VARIANTS))
def test_variant(arm, name, idle):
    kwargs = {**TINY, "dropout": 0.0, **VARIANTS[name]}
    net = SymGNN(arm, **{"num_classes": K, **kwargs})
    if net.prediction_head is not None:
        torch.nn.init.normal_(net.prediction_head.step.out.lins[-1].weight)
    c = kwargs.get("in_channels", 3)
    out = net(torch.randn(N * V, T, c))
    assert (out.logits is None) == (name == "no recognition")
    assert (out.future is None) == (name == "no prediction")
    assert (out.actional is None) == (not kwargs.get("use_actional", True))
    if out.logits is not None:
        assert out.logits.shape == (N, K)
    if out.future is not None:
        assert out.future.shape == (N * V, STEPS, c)
    future = torch.randn(N * V, STEPS, c)
    SymbioticLoss(0.5)(out, torch.arange(N), future).total.backward()
    assert all(p.grad is not None for p in net.parameters())
    assert idle(net) == []


@pytest.mark.parametrize("name", SMALLER)
def test_variants_have_fewer_parameters(arm, name):
    variant = SymGNN(arm, **{"num_classes": K, **TINY, **VARIANTS[name]})
    assert size(variant) < size(SymGNN(arm, K, **TINY))


def test_lambda_zero_ignores_the_actional_graph(arm, x):
    net = train_a_little(SymGNN(arm, K, **TINY, lambda_=0.0).double(), V)
    before = net(x)
    net.actional_inference.reset_parameters()
    after = net(x)
    assert not torch.allclose(before.actional, after.actional)
    torch.testing.assert_close(before.future, after.future)
    torch.testing.assert_close(before.logits, after.logits)


@pytest.mark.parametrize("name", ["activated pairs", "self pairs"])
def test_choices_of_equation_1_matter(arm, x, name):
    net = train_a_little(SymGNN(arm, K, **TINY).double(), V)
    variant = SymGNN(arm, K, **TINY, **VARIANTS[name]).double().eval()
    variant.load_state_dict(net.state_dict(), strict=False)
    assert not torch.allclose(net(x).actional, variant(x).actional)


# Numbers #####################################################################


def test_untrained_network_predicts_stillness(arm, x):
    net = SymGNN(arm, K, **TINY).double()
    still = x[:, -1:].expand(-1, STEPS, -1)
    torch.testing.assert_close(net(x).future, still)


def test_float32_is_close_to_float64(net, x):
    for low, high in zip(
        copy.deepcopy(net).float()(x.float()), net(x), strict=True
    ):
        torch.testing.assert_close(low.double(), high, rtol=1e-3, atol=1e-4)


def test_empty_batch(net, x):
    out = net(x[:0])
    assert out.logits.shape == (0, K)
    assert out.future.shape == (0, STEPS, 3)


# Construction ################################################################


def test_seeds_make_construction_repeatable(arm):
    def build(seed):
        torch.manual_seed(seed)
        return SymGNN(arm, K, **TINY).state_dict()

    torch.testing.assert_close(build(1), build(1), rtol=0, atol=0)
    first, second = build(1), build(2)
    assert not torch.equal(
        first["recognition_head.classify.weight"],
        second["recognition_head.classify.weight"],
    )


def test_branches_have_their_own_weights(net):
    first, second, third = (
        branch.joint_blocks[0].graph_conv.weight for branch in net.branches
    )
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((15, 7, 3), r"\[N \* 5, 8, 3\] for num_observed=8 .*\[15, 7, 3\]"),
        ((15, 8, 2), r"\[N \* 5, 8, 3\] .* in_channels=3, got \[15, 8, 2\]"),
        ((3, 5, 8, 3), r"got \[3, 5, 8, 3\]"),
        ((14, 8, 3), r"multiple of 5 rows.*\[14, 8, 3\]"),
    ],
)
def test_wrong_shapes_are_named(net, shape, message):
    with pytest.raises(ValueError, match=message):
        net(torch.zeros(shape, dtype=torch.double))


# Copies ######################################################################


def test_state_of_another_skeleton():
    chain = {"bones": [("b", "a"), ("c", "b")], "name": "chain"}
    star = {"bones": [("b", "a"), ("c", "a")], "name": "star"}
    one = SymGNN(Skeleton(list("abc"), **chain), K, **TINY)
    other = SymGNN(Skeleton(list("abc"), **star), K, **TINY)
    before = copy.deepcopy(other.state_dict())
    with pytest.raises(ValueError, match=r"'star'.*another skeleton"):
        other.load_state_dict(one.state_dict())
    torch.testing.assert_close(other.state_dict(), before)


SOUPS = {
    "sum": lambda entries: sum(entries) / len(entries),
    "mean": lambda entries: torch.stack(entries).float().mean(dim=0),
    "same type": lambda entries: (
        entries[0].lerp(entries[1], 0.5)
        if entries[0].is_floating_point()
        else torch.stack(entries).float().mean(dim=0).long()
    ),
    "moving": lambda entries: 0.9 * entries[0] + 0.1 * entries[1],
    "half": lambda entries: entries[0].half(),
    "half and back": lambda entries: entries[0].half().float(),
    "double": lambda entries: entries[0].double(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("soup", SOUPS.values(), ids=SOUPS)
def test_averages_of_states(layout, soup):
    net = SymGNN(layout, K, **SMALLEST)
    state = net.state_dict()
    net.load_state_dict({k: soup([v, v]) for k, v in state.items()})
    tolerance = {"rtol": 1e-3, "atol": 1e-6}
    torch.testing.assert_close(net.state_dict(), state, **tolerance)


def test_functional_call(arm):
    """Which sets and restores all entries of the state."""
    net = SymGNN(arm, K, **SMALLEST).eval()
    other = SymGNN(arm, K, **SMALLEST).eval()
    x = torch.randn(V, T, 3)
    found = torch.func.functional_call(net, other.state_dict(), (x,))
    assert torch.equal(found.future, other(x).future)
    assert int(net.skeleton_id) == arm.fingerprint


def test_state_of_a_network_inside_another(arm, shuffled_arm):
    outer = torch.nn.ModuleDict({"net": SymGNN(arm, K, **TINY)})
    outer.load_state_dict(outer.state_dict())
    wrong = torch.nn.ModuleDict({"net": SymGNN(shuffled_arm, K, **TINY)})
    with pytest.raises(ValueError, match="'arm'"):
        outer.load_state_dict(wrong.state_dict())


def test_name_of_the_skeleton_does_not_matter(arm):
    renamed = Skeleton(**{**arm.to_dict(), "name": "other"})
    SymGNN(renamed, K, **TINY).load_state_dict(
        SymGNN(arm, K, **TINY).state_dict()
    )


# Compilation #################################################################


def compare(net, x, **kwargs):
    """One compilation serves two sizes of the first dimension."""

    # Rows that are a multiple of V cost the compiler far more than samples
    # do: its shape arithmetic would take minutes for a large network.
    def function(x):
        return net(x if x.dim() == 3 else x.flatten(0, 1))

    def check(x):
        for got, expected in zip(compiled(x), function(x), strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)

    torch.compiler.reset()
    compiled = torch.compile(function, fullgraph=True, **kwargs)
    torch._dynamo.mark_dynamic(x, 0)
    with torch.no_grad():
        check(x)
        with torch.compiler.set_stance("fail_on_recompile"):
            check(x[: 6 * len(x) // 7])


# One branch and one frame have all there is to compile.
SMALLEST = {**TINY, "orders": (0,), "num_iterations": 1, "num_future": 1}


def test_compile(arm):
    net = train_a_little(SymGNN(arm, K, **SMALLEST), V)
    compare(net, torch.randn(7 * V, T, 3), backend="aot_eager")


def test_code_of_the_compiler(arm):
    narrow = {"channels": (4, 4), "strides": (1, 1), "fusion": ()}
    net = train_a_little(SymGNN(arm, K, **{**SMALLEST, **narrow}), V)
    compare(net, torch.randn(7, V, T, 3), backend="inductor")


def test_compile_light_network():
    net = SymGNN.light(
        Skeleton.get("cmu26"), K, num_observed=10, num_future=2
    ).eval()
    compare(net, torch.randn(7, 26, 10, 3), backend="eager")


# Arguments ###################################################################


def test_default_type(arm):
    torch.set_default_dtype(torch.double)
    try:
        net = SymGNN(arm, K, **TINY)
        assert net(torch.randn(N * V, T, 3)).logits.dtype == torch.double
    finally:
        torch.set_default_dtype(torch.float)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"dropout": 2}, "'dropout' must lie between 0 and 1, got 2"),
        ({"num_observed": 0}, "'num_observed' must be at least 1"),
        ({"num_future": -1}, "'num_future' must be at least 0"),
        ({"num_classes": -1}, "'num_classes' must be at least 0"),
        ({"num_recent": 0}, "'num_recent' must be at least 1"),
        ({"hidden_channels": 0}, "'hidden_channels' must be at least 1"),
        ({"in_channels": 0}, "'in_channels' must be at least 1"),
        ({"decoder": "x", "num_future": 0}, "'decoder' must be one of"),
        ({"orders": ()}, "'orders' must be different"),
        ({"orders": (0, 0)}, "'orders' must be different"),
        ({"orders": (-1, 0)}, "'orders' must be different"),
        ({"num_classes": 0, "num_future": 0}, "'num_classes' and 'num_future'"),
        ({"strides": (1, 0)}, "'stride' must be at least 1"),
    ],
)
def test_arguments_that_cannot_be(arm, argument, message):
    with pytest.raises(ValueError, match=message):
        SymGNN(arm, **{**TINY, "num_classes": K, **argument})


@pytest.mark.parametrize("name", ["num_classes", "num_future", "num_observed"])
@pytest.mark.parametrize("value", ["3", 3.0, None, True])
def test_numbers_that_are_no_integers(arm, name, value):
    with pytest.raises(TypeError, match=f"'{name}' must be an integer"):
        SymGNN(arm, **{**TINY, "num_classes": K, name: value})


def test_whole_numbers_of_dropout(arm):
    net = SymGNN(arm, K, **{**TINY, "dropout": 0})
    assert net(torch.randn(N * V, T, 3)).logits.shape == (N, K)


def test_one_body_a_sample_is_the_default(net, x):
    one, other = net(x), net(x, torch.ones(N, dtype=torch.long))
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b)


def test_bodies_see_the_label_of_their_sample(net, x):
    """Each body moves for itself, and all are recognised together."""
    net.prediction_head.step.gru.weight_ih.data.normal_()
    for layer in net.prediction_head.step.out.lins:
        layer.weight.data.normal_()
    bodies = torch.tensor([1, N - 1])
    out, alone = net(x, bodies), net(x)
    assert out.logits.shape == (2, K)
    torch.testing.assert_close(out.logits[0], alone.logits[0])
    torch.testing.assert_close(out.future[:V], alone.future[:V])
    assert not torch.allclose(out.future[V:], alone.future[V:])
    swapped = torch.cat([x[:V], x[2 * V :], x[V : 2 * V]])
    again = net(swapped, bodies)
    torch.testing.assert_close(again.logits, out.logits)
    torch.testing.assert_close(again.future[V : 2 * V], out.future[2 * V :])


def test_averages_of_buffers_keep_the_skeleton(arm):
    """Integers among them would be rounded down."""
    net = SymGNN(arm, K, **TINY)
    average = AveragedModel(
        net, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True
    )
    for _ in range(3):
        average.update_parameters(net)
    x = torch.randn(2 * V, T, 3)
    found = average.module.eval()(x)
    torch.testing.assert_close(found.future, net.eval()(x).future)
    assert int(average.module.skeleton_id) == arm.fingerprint
    net.load_state_dict(average.module.state_dict())


def test_arrays_are_refused_with_the_cure(arm):
    net = SymGNN(arm, K, **TINY)
    with pytest.raises(TypeError, match=r"got ndarray; torch\.as_tensor"):
        net(torch.zeros(5, 4, 3).numpy())


def test_traces_are_for_a_number_of_bodies(arm):
    net = SymGNN(arm, K, **SMALLEST)
    net.eval().requires_grad_(False)
    x = torch.randn(2 * V, T, 3)
    # A trace knows neither named tuples nor outputs that are None.
    traced = torch.jit.trace(lambda x: net(x)[:2], x)
    for found, expected in zip(
        traced(x.mul(2)), net(x.mul(2))[:2], strict=True
    ):
        torch.testing.assert_close(found, expected)
    with pytest.raises(RuntimeError, match="size"):
        traced(x[:V])

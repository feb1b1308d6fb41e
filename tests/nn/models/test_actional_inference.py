import copy

import pytest
import torch
from torch.nn import BatchNorm1d, Identity, ReLU, Sequential, SyncBatchNorm

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import ActionalGraphInference, ActionalPropagation
from symgnn_pyg.testing import assert_compile_parity

N, V, T, D = 3, 5, 6, 8
SIZES = [3, 5, 1, 5, 3, 2]  # Of the joints of unequal samples.


@pytest.fixture
def agim(arm):
    """A module whose batch normalisation has seen batches."""
    module = ActionalGraphInference(
        T * 3, arm, hidden_channels=D, dropout=0.0
    ).double()
    for _ in range(40):
        module(torch.randn(20 * V, T, 3, dtype=torch.double))
    return module.eval()


@pytest.fixture
def x():
    return torch.randn(N * V, T, 3, dtype=torch.double)


@pytest.fixture
def propagation():
    module = ActionalPropagation(D, dropout=0.0).double()
    module(torch.randn(20 * V, D, dtype=torch.double), V)
    return module


@pytest.fixture
def h():
    return torch.randn(N * V, D, dtype=torch.double)


def test_graphs_are_directed_and_differ(agim, x):
    first, second, _ = agim(x)
    assert not torch.allclose(first, first.t(), atol=1e-3)
    assert not torch.allclose(first, second, atol=1e-3)


def test_number_of_nodes(agim, x):
    other = ActionalGraphInference(T * 3, V, hidden_channels=D).double()
    other.load_state_dict(agim.state_dict())
    torch.testing.assert_close(other.eval()(x), agim(x))
    with pytest.raises(ValueError, match="'skeleton' must be at least 1"):
        ActionalGraphInference(T * 3, 0)


@pytest.mark.parametrize("num_iterations", [0, 1, 3])
def test_number_of_iterations(arm, x, num_iterations):
    agim = ActionalGraphInference(
        T * 3, arm, hidden_channels=D, num_iterations=num_iterations
    ).double()
    assert len(agim.propagations) == num_iterations
    assert agim(x).shape == (N, V, V)


def test_second_equation(agim, x):
    h = agim.joint_mlp(x.flatten(1))
    for propagation in agim.propagations:
        h = propagation(h, V)
    f = agim.embed_target(h).view(N, V, D)
    g = agim.embed_source(h).view(N, V, D)
    scores = torch.einsum("nid,njd->nij", f, g)
    torch.testing.assert_close(
        agim(x), scores.exp() / scores.exp().sum(dim=2, keepdim=True)
    )


def test_one_joint():
    agim = ActionalGraphInference(6, Skeleton(["root"], []), hidden_channels=D)
    torch.testing.assert_close(agim(torch.randn(4, 2, 3)), torch.ones(4, 1, 1))


def test_wrong_shapes(agim):
    with pytest.raises(ValueError, match=r"T \* C = 18 .*\[10, 5, 3\]"):
        agim(torch.zeros(10, 5, 3).double())
    with pytest.raises(ValueError, match=r"multiple of 5 rows.*\[11"):
        agim(torch.zeros(11, T, 3).double())


def test_size_is_shown(agim):
    assert "18, num_joints=5" in repr(agim)


@pytest.mark.parametrize("kwargs", [{}, {"plain_last": False}])
def test_weights_of_both_forms(arm, kwargs):
    agim = ActionalGraphInference(T * 3, arm, hidden_channels=D, **kwargs)
    keys = {k for k in agim.state_dict() if k.startswith("propagations.0.")}
    expected = {"lin_i", "lin_j", "norm", "lin_out", "joint_mlp"}
    expected |= {"norm_out"} if kwargs else set()
    assert {key.split(".")[2] for key in keys} == expected


@pytest.mark.parametrize(
    ("training", "plain_last"), [(True, True), (True, False), (False, False)]
)
def test_compiled(arm, x, training, plain_last):
    agim = ActionalGraphInference(
        T * 3, arm, hidden_channels=D, dropout=0.0, plain_last=plain_last
    )
    assert_compile_parity(agim.double().train(training), {"x": x})


@pytest.mark.parametrize("plain_last", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_autocast(arm, plain_last, training):
    agim = ActionalGraphInference(
        T * 3, arm, hidden_channels=D, dropout=0.0, plain_last=plain_last
    ).train(training)
    x = torch.randn(10 * V, T, 3)
    with torch.autocast("cpu", torch.bfloat16):
        out = agim(x)
        out[..., 0].sum().backward()
    torch.testing.assert_close(out.float(), agim(x), rtol=0.1, atol=0.1)
    assert agim.propagations[0].norm.running_var.dtype == torch.float32


# Unequal skeletons ###########################################################

KINDS = [1, 0, 2, 1, 0, 3]


@pytest.fixture
def skeletons():
    return [
        Skeleton(
            [f"joint {j}" for j in range(v)],
            [(j, j - 1) for j in range(1, v)],
        )
        for v in (5, 3, 1, 2)
    ]


@pytest.fixture(params=[True, False], ids=["plain", "deep"])
def mixed(request, skeletons):
    agim = ActionalGraphInference(
        T * 3,
        skeletons,
        hidden_channels=D,
        dropout=0.0,
        plain_last=request.param,
    )
    return agim.double()


@pytest.fixture
def mixed_x():
    joints = sum([5, 3, 1, 2][kind] for kind in KINDS)
    return torch.randn(joints, T, 3, dtype=torch.double)


def sizes_of(skeleton_type):
    return [[5, 3, 1, 2][kind] for kind in skeleton_type]


def test_unequal_samples_are_one_list_of_pairs(mixed, mixed_x):
    other = copy.deepcopy(mixed)
    out = mixed(mixed_x, KINDS)
    sizes = sizes_of(KINDS)
    h = other.joint_mlp(mixed_x.flatten(1))
    for propagation in other.propagations:
        h = propagation(h, edge_index=edges(sizes))
    targets = other.embed_target(h).split(sizes)
    sources = other.embed_source(h).split(sizes)
    expected = [
        (f @ g.t()).softmax(dim=1)
        for f, g in zip(targets, sources, strict=True)
    ]
    for graph, alike in zip(out, expected, strict=True):
        torch.testing.assert_close(graph, alike)
    torch.testing.assert_close(mixed.state_dict(), other.state_dict())
    sum(graph[:, 0].sin().sum() for graph in out).backward()
    sum(graph[:, 0].sin().sum() for graph in expected).backward()
    for p, q in zip(mixed.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


@pytest.mark.parametrize("plain_last", [True, False])
def test_equal_samples_of_several_skeletons(arm, x, plain_last):
    one, several = [
        ActionalGraphInference(
            T * 3,
            skeleton,
            hidden_channels=D,
            dropout=0.0,
            plain_last=plain_last,
        ).double()
        for skeleton in (arm, [arm, arm])
    ]
    several.load_state_dict(one.state_dict())
    out = several(x, [0, 1, 0])
    torch.testing.assert_close(torch.stack(out), one(x))


def test_unequal_compiled(mixed, mixed_x):
    assert_compile_parity(mixed, {"x": mixed_x, "skeleton_type": KINDS})


def test_no_samples(mixed, mixed_x, arm, x):
    assert mixed(mixed_x[:0], []) == ()
    agim = ActionalGraphInference(T * 3, arm, hidden_channels=D).double()
    before = copy.deepcopy(agim.propagations[0].norm.running_var)
    assert agim(x[:0]).shape == (0, V, V)
    after = agim.propagations[0].norm.running_var
    torch.testing.assert_close(after, before)


def test_wrong_kinds(mixed, mixed_x, agim, x, arm):
    with pytest.raises(
        ValueError, match="4 skeletons requires 'skeleton_type'"
    ):
        mixed(mixed_x)
    with pytest.raises(ValueError, match="from 0 to 3 for 4 skeletons, got 4"):
        mixed(mixed_x, [*KINDS[:-1], 4])
    with pytest.raises(ValueError, match="from 0 to 3 for 4 skeletons, got -1"):
        mixed(mixed_x, [*KINDS[:-1], -1])
    with pytest.raises(ValueError, match=r"17 rows, .* 5 samples .*\[19"):
        mixed(mixed_x, KINDS[:-1])
    with pytest.raises(ValueError, match="a single skeleton"):
        agim(x, [0] * N)
    with pytest.raises(ValueError, match="at least one skeleton"):
        ActionalGraphInference(T * 3, [], hidden_channels=D)


def test_sizes_are_shown(mixed):
    assert "num_joints=(5, 3, 1, 2)" in repr(mixed)


# Propagation #################################################################


def edges(sizes, self_pairs=False):
    """Of complete graphs, from source to target."""
    found, start = [], 0
    for size in sizes:
        node = range(start, start + size)
        found += [(j, i) for i in node for j in node if self_pairs or i != j]
        start += size
    return torch.tensor(found).t()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("plain_last", [True, False])
@pytest.mark.parametrize("self_pairs", [True, False])
@pytest.mark.parametrize("num_joints", [V, SIZES, [1, 2]])
@pytest.mark.parametrize("momentum", [0.3, None])
def test_all_pairs_equal_messages(
    training, plain_last, self_pairs, num_joints, momentum
):
    sizes = [V] * N if num_joints == V else num_joints
    fast = ActionalPropagation(
        D, 0.0, plain_last=plain_last, self_pairs=self_pairs
    ).double()
    for norm in (m for m in fast.modules() if isinstance(m, BatchNorm1d)):
        norm.momentum = momentum
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    fast.train(training)
    slow = copy.deepcopy(fast)
    for _ in range(3):
        h = 2 + torch.randn(sum(sizes), D, dtype=torch.double)
        h_fast, h_slow = h.clone().requires_grad_(), h.requires_grad_()
        out = fast(h_fast, num_joints)
        expected = slow(h_slow, edge_index=edges(sizes, self_pairs))
        torch.testing.assert_close(out, expected)
        torch.testing.assert_close(fast.state_dict(), slow.state_dict())
        out.sin().sum().backward()
        expected.sin().sum().backward()
        torch.testing.assert_close(h_fast.grad, h_slow.grad)
    for p, q in zip(fast.parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


@pytest.mark.parametrize("plain_last", [True, False])
@pytest.mark.parametrize("self_pairs", [True, False])
def test_layers_on_concatenated_pairs(h, plain_last, self_pairs):
    core = ActionalPropagation(
        D, 0.0, plain_last=plain_last, self_pairs=self_pairs
    )
    first = torch.nn.Linear(2 * D, D)
    first.weight.data = torch.cat([core.lin_i.weight, core.lin_j.weight], 1)
    first.bias.data = core.lin_i.bias.data
    f_e = Sequential(first, BatchNorm1d(D), ReLU(), core.lin_out)
    if not plain_last:
        f_e.extend([BatchNorm1d(D), ReLU()])
    f_e, core = copy.deepcopy(f_e).double(), core.double()
    source, target = edges([V] * N, self_pairs)
    for _ in range(2):
        q = f_e(torch.cat([h[target], h[source]], dim=1))
        expected = core.joint_mlp(q.view(N * V, -1, D).mean(dim=1))
        torch.testing.assert_close(core(h, V), expected)
    for norm, layer in ((core.norm, f_e[1]), (core.norm_out, f_e[-2])):
        if norm is not None:
            torch.testing.assert_close(norm.state_dict(), layer.state_dict())


@pytest.mark.parametrize("plain_last", [True, False])
@pytest.mark.parametrize("num_joints", [V, [2, 3, 3]])
def test_propagation_derivatives(plain_last, num_joints):
    core = ActionalPropagation(2, 0.0, plain_last=plain_last).double()
    core.joint_mlp = Identity()
    rows = 2 * V if num_joints == V else 8
    h = torch.randn(rows, 2, dtype=torch.double).requires_grad_()
    assert torch.autograd.gradcheck(lambda h: core(h, num_joints), h)
    assert torch.autograd.gradgradcheck(lambda h: core(h, num_joints), h)


def test_pairs_are_not_kept():
    kept = {}
    core = ActionalPropagation(D, 0.0)
    h = torch.randn(4 * 20, D).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.update({t.data_ptr(): t.numel()}) or t, lambda t: t
    ):
        core(h, 20)
    assert max(kept.values()) == h.numel()


def test_frozen_norm(propagation, h):
    propagation.norm.eval()
    before = copy.deepcopy(propagation.norm.state_dict())
    out = propagation(h, V)
    torch.testing.assert_close(propagation.norm.state_dict(), before)
    torch.testing.assert_close(out, propagation(h, edge_index=edges([V] * N)))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("self_pairs", [True, False])
def test_synchronised_norm(training, self_pairs):
    fast = ActionalPropagation(D, 0.0, self_pairs=self_pairs).double()
    slow = SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(fast))
    assert isinstance(slow.norm, SyncBatchNorm)
    h = torch.randn(sum(SIZES), D, dtype=torch.double)
    fast.train(training)
    slow.train(training)
    torch.testing.assert_close(slow(h, SIZES), fast(h, SIZES))
    torch.testing.assert_close(slow.state_dict(), fast.state_dict())


@pytest.mark.parametrize("self_pairs", [True, False])
def test_messages_can_be_watched(h, self_pairs):
    propagation = ActionalPropagation(D, 0.0, self_pairs=self_pairs).double()
    expected, seen = propagation.eval()(h, V), []
    handle = propagation.register_message_forward_hook(
        lambda *args: seen.append(args[2])
    )
    torch.testing.assert_close(propagation(h, V), expected)
    (messages,) = seen
    assert messages.shape == (N * V * (V if self_pairs else V - 1), D)
    handle.remove()
    propagation(h, V)
    assert len(seen) == 1


def test_one_pair_has_no_variance(h):
    propagation = ActionalPropagation(D, 0.0, self_pairs=True).double()
    with pytest.raises(ValueError, match="more than one pair"):
        propagation(h[:1], 1)


def test_propagation_of_one_joint(propagation, h):
    propagation.eval()
    no_edges = torch.empty(2, 0, dtype=torch.long)
    torch.testing.assert_close(
        propagation(h, 1), propagation(h, edge_index=no_edges)
    )


def test_joints_or_edges_are_required(propagation, h):
    with pytest.raises(ValueError, match="'num_joints' or 'edge_index'"):
        propagation(h)
    with pytest.raises(ValueError, match="'num_joints' or 'edge_index'"):
        propagation(h, V, edges([V] * N))
    with pytest.raises(ValueError, match=r"multiple of 4 rows.*\[15"):
        propagation(h, 4)
    with pytest.raises(ValueError, match=r"14 joints.*15 rows"):
        propagation(h, [5, 5, 4])

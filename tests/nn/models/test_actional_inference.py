import copy

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import ActionalGraphInference, ActionalPropagation

N, V, T, D = 3, 5, 6, 8


@pytest.fixture
def agim(arm):
    """A module whose batch normalisation has seen batches."""
    module = ActionalGraphInference(T * 3, arm, D, dropout=0.0).double()
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


def all_pairs():
    node = torch.arange(N * V)
    target, source = torch.cartesian_prod(node, node).t()
    keep = (target != source) & (target // V == source // V)
    return torch.stack([source[keep], target[keep]])


def test_rows_are_distributions(agim, x):
    actional = agim(x)
    assert actional.shape == (N, V, V)
    assert (actional >= 0).all()
    torch.testing.assert_close(
        actional.sum(dim=-1), torch.ones(N, V, dtype=torch.double)
    )


def test_graphs_are_directed_and_differ(agim, x):
    first, second, _ = agim(x)
    assert not torch.allclose(first, first.t(), atol=1e-3)
    assert not torch.allclose(first, second, atol=1e-3)


@pytest.mark.parametrize("num_iterations", [0, 1, 3])
def test_number_of_iterations(arm, x, num_iterations):
    agim = ActionalGraphInference(T * 3, arm, D, num_iterations).double()
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


def test_equivariance(agim, x, shuffle):
    torch.testing.assert_close(agim(shuffle(x)), shuffle(agim(x), graph=True))


def test_samples_do_not_mix(agim, x):
    torch.testing.assert_close(
        agim(x), torch.cat([agim(part) for part in x.split(V)])
    )


def test_gradient(agim, x):
    x = x[:V].clone().requires_grad_()
    assert torch.autograd.gradcheck(agim, x, fast_mode=True)


def test_every_parameter_learns(arm, x):
    agim = ActionalGraphInference(T * 3, arm, D, dropout=0.0).double()
    agim(x).square().sum().backward()
    idle = [
        name
        for name, p in agim.named_parameters()
        if p.grad is None or p.grad.eq(0).all()
    ]
    # A bias before batch normalisation or softmax may cancel out.
    assert [name for name in idle if not name.endswith("bias")] == []


def test_reset_parameters(agim):
    before = {k: v.clone() for k, v in agim.state_dict().items()}
    agim.reset_parameters()
    changed = {
        k for k, v in agim.state_dict().items() if not torch.equal(v, before[k])
    }
    assert {k for k in before if "lin" in k and k.endswith("weight")} <= changed
    assert {k for k in before if "embed" in k} <= changed
    assert {k for k in before if k.endswith("running_mean")} <= changed


def test_one_joint():
    agim = ActionalGraphInference(6, Skeleton(["root"], []), D)
    torch.testing.assert_close(agim(torch.randn(4, 2, 3)), torch.ones(4, 1, 1))


def test_wrong_shapes(agim):
    with pytest.raises(ValueError, match=r"18 numbers.*\[10, 5, 3\]"):
        agim(torch.zeros(10, 5, 3).double())
    with pytest.raises(ValueError, match=r"11 rows.*5 joints"):
        agim(torch.zeros(11, T, 3).double())


def test_size_is_shown(agim):
    assert "18, num_joints=5" in repr(agim)


# Propagation #################################################################


@pytest.mark.parametrize("training", [True, False])
def test_all_pairs_equal_messages(propagation, h, training):
    propagation.train(training)
    other = copy.deepcopy(propagation)
    h, h_other = h.requires_grad_(), h.detach().clone().requires_grad_()
    out = propagation(h, V)
    expected = other(h_other, edge_index=all_pairs())
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(propagation.state_dict(), other.state_dict())
    out.sin().sum().backward()
    expected.sin().sum().backward()
    torch.testing.assert_close(h.grad, h_other.grad)
    for p, q in zip(propagation.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


def test_literal_formula(propagation, h):
    propagation.eval()
    first = torch.cat(
        [propagation.lin_i.weight, propagation.lin_j.weight], dim=1
    )

    def f_e(pair):
        hidden = first @ pair + propagation.lin_i.bias
        hidden = propagation.norm(hidden.unsqueeze(0)).relu().squeeze(0)
        return propagation.lin_out(hidden)

    means = []
    for sample in h.split(V):
        for i in range(V):
            q = [
                f_e(torch.cat([sample[i], sample[j]]))
                for j in range(V)
                if j != i
            ]
            means.append(torch.stack(q).mean(dim=0))
    torch.testing.assert_close(
        propagation(h, V), propagation.joint_mlp(torch.stack(means))
    )


def test_propagation_of_one_joint(propagation, h):
    propagation.eval()
    no_edges = torch.empty(2, 0, dtype=torch.long)
    torch.testing.assert_close(
        propagation(h, 1), propagation(h, edge_index=no_edges)
    )


def test_joints_or_edges_are_due(propagation, h):
    with pytest.raises(ValueError, match="'num_joints' or 'edge_index'"):
        propagation(h)

import copy

import pytest
import torch
from torch.nn import BatchNorm1d

from symgnn_pyg.nn.models.pair_norm import normalise_pairs, pair_statistics

D = 4
GROUPS = [[(3, 5)], [(2, 1), (3, 4), (1, 5)], [(1, 2)]]


def terms(groups, width=D):
    rows = sum(n * v for n, v in groups)
    return [
        (3 + torch.randn(rows, width, dtype=torch.double)).requires_grad_()
        for _ in "ab"
    ]


def listed(groups, self_pairs):
    """Targets and sources of all pairs, sample after sample."""
    found, start = [], 0
    for v in (v for n, v in groups for _ in range(n)):
        node = range(start, start + v)
        found += [(i, j) for i in node for j in node if self_pairs or i != j]
        start += v
    return torch.tensor(found).t()


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("self_pairs", [False, True])
@pytest.mark.parametrize("momentum", [0.3, None])
@pytest.mark.parametrize("tracked", [True, False])
def test_as_a_list_of_pairs(groups, self_pairs, momentum, tracked):
    norm = BatchNorm1d(
        D, momentum=momentum, track_running_stats=tracked
    ).double()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    plain = copy.deepcopy(norm)
    i, j = listed(groups, self_pairs)
    for training in (True, True, False):
        norm.train(training)
        plain.train(training)
        a, b = terms(groups)
        first, second = normalise_pairs(norm, a, b, groups, self_pairs)
        expected = plain(a[i] + b[j])
        torch.testing.assert_close(first[i] + second[j], expected)
        torch.testing.assert_close(norm.state_dict(), plain.state_dict())
        grad = torch.randn_like(expected)
        inputs = (a, b, norm.weight, norm.bias)
        found = torch.autograd.grad(first[i] + second[j], inputs, grad)
        inputs = (a, b, plain.weight, plain.bias)
        torch.testing.assert_close(
            found, torch.autograd.grad(expected, inputs, grad)
        )


@pytest.mark.parametrize("groups", GROUPS)
@pytest.mark.parametrize("self_pairs", [False, True])
def test_derivatives_of_statistics(groups, self_pairs):
    def statistics(a, b):
        return pair_statistics(a, b, groups, self_pairs)

    inputs = terms(groups, 2)
    assert torch.autograd.gradcheck(statistics, inputs)
    assert torch.autograd.gradgradcheck(statistics, inputs)


def test_variance_is_never_negative():
    a = torch.randn(10, D)
    _, var = pair_statistics(a, -a.roll(1, 0), [(1, 10)], True)
    assert var.ge(0).all()
    a = 1e3 * torch.randn(2, D)
    _, var = pair_statistics(a, -a.flip(0), [(1, 2)], False)
    assert var.ge(0).all()


@pytest.mark.parametrize("self_pairs", [False, True])
@pytest.mark.parametrize("apart", [1.0, 1e2, 1e4])
def test_samples_far_apart(apart, self_pairs):
    """Where targets and sources nearly cancel, large squares must not."""
    groups = [(6, 5), (3, 4)]
    offset = torch.randn(9, 1, D).mul(apart)
    rows = [offset[i].expand(5 if i < 6 else 4, D) for i in range(9)]
    shift = torch.cat(rows)
    a = torch.randn(42, D) + shift
    b = torch.randn(42, D) - shift
    i, j = listed(groups, self_pairs)
    pairs = a.double()[i] + b.double()[j]
    mean, var = pair_statistics(a, b, groups, self_pairs)
    exact = pairs.var(dim=0, correction=0)
    error = (var.double() - exact).abs() / exact
    # What the terms themselves can tell at that distance.
    assert error.max() < 1e-6 + 1e-7 * apart
    near = 1e-5 + 1e-6 * apart
    torch.testing.assert_close(
        mean.double(), pairs.mean(dim=0), atol=near, rtol=0
    )

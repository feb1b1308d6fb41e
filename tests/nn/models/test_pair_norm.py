import pytest
import torch

from symgnn_pyg.nn.models.pair_norm import pair_statistics

D = 4


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

import pytest
import torch

from symgnn_pyg.nn import mgda_weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("seed", range(8))
def test_is_the_shortest_combination(seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    g_r, g_p = torch.randn(2, 3, 4, generator=generator).to(dtype)
    g_p = g_p + seed * g_r  # Later seeds reach the ends of the interval.
    grid = torch.linspace(0, 1, 10_001).to(dtype)
    a = grid.view(-1, 1, 1)
    norms = (a * g_r + (1 - a) * g_p).flatten(1).norm(dim=1)
    alpha = mgda_weight(g_r, g_p)
    assert alpha.dtype == dtype
    assert float(alpha) == pytest.approx(float(grid[norms.argmin()]), abs=1e-3)


@pytest.mark.parametrize(
    ("g_r", "g_p", "alpha"),
    [
        ([1.0, 0.0], [0.0, 1.0], 0.5),
        ([1.0, 0.0], [3.0, 0.0], 1.0),
        ([3.0, 0.0], [1.0, 0.0], 0.0),
        ([1.0, 0.0], [-3.0, 0.0], 0.75),
        ([2.0, 1.0], [2.0, 1.0], 0.5),
        ([0.0, 0.0], [0.0, 0.0], 0.5),
        ([0.0, 0.0], [1.0, 0.0], 1.0),
        ([1.0, 0.0], [0.0, 0.0], 0.0),
    ],
)
def test_by_hand(g_r, g_p, alpha):
    got = mgda_weight(torch.tensor(g_r), torch.tensor(g_p))
    assert float(got) == pytest.approx(alpha)


def test_tasks_are_interchangeable():
    g_r, g_p = torch.randn(2, 10, dtype=torch.double)
    torch.testing.assert_close(mgda_weight(g_r, g_p), 1 - mgda_weight(g_p, g_r))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_small_weight_is_not_lost_in_half_precision(dtype):
    """Nor do squares of small gradients vanish."""
    g_r, g_p = torch.tensor([1e-4, 0.0]), torch.tensor([0.0, 5e-3])
    found = mgda_weight(g_r.to(dtype), g_p.to(dtype))
    expected = mgda_weight(g_r, g_p)
    assert found.dtype == torch.float
    assert 0 < float(1 - expected) < 2**-9
    torch.testing.assert_close(1 - found, 1 - expected, rtol=0.05, atol=0)

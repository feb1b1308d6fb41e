import pytest
import torch

from symgnn_pyg.nn import mgda_weight


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


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_small_weight_is_not_lost_in_half_precision(dtype):
    """Nor do squares of small gradients vanish."""
    g_r, g_p = torch.tensor([1e-4, 0.0]), torch.tensor([0.0, 5e-3])
    found = mgda_weight(g_r.to(dtype), g_p.to(dtype))
    expected = mgda_weight(g_r, g_p)
    assert found.dtype == torch.float
    assert 0 < float(1 - expected) < 2**-9
    torch.testing.assert_close(1 - found, 1 - expected, rtol=0.05, atol=0)


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e20, 1e30])
def test_gradients_of_any_size(scale):
    g_r, g_p = torch.tensor([3.0, 0.0]), torch.tensor([1.0, 2.0])
    for normalization in ("none", "l2"):
        found, expected = (
            mgda_weight(s * g_r, s * g_p, normalization=normalization)
            for s in (scale, 1.0)
        )
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("normalization", ["none", "l2", "loss", "loss+"])
@pytest.mark.parametrize("seed", range(8))
def test_is_the_shortest_combination_of_scaled_gradients(
    seed, normalization, dtype
):
    generator = torch.Generator().manual_seed(seed)
    g_r, g_p = torch.randn(2, 12, generator=generator).to(dtype)
    g_p = 5 * g_p + seed * g_r
    losses = torch.tensor([0.3, 2.0], dtype=dtype).unbind()
    scales = [
        {
            "none": torch.ones(()),
            "l2": g.norm(),
            "loss": loss,
            "loss+": g.norm() * loss,
        }[normalization]
        for g, loss in zip((g_r, g_p), losses, strict=True)
    ]
    u_r, u_p = g_r / scales[0], g_p / scales[1]
    beta = torch.linspace(0, 1, 10_001, dtype=dtype).unsqueeze(1)
    shortest = (beta * u_r + (1 - beta) * u_p).norm(dim=1).argmin()
    alpha = mgda_weight(g_r, g_p, losses, normalization=normalization)
    assert alpha.dtype == dtype
    # The weighted sum of the gradients points where the shortest one does.
    expected = beta[shortest] * u_r + (1 - beta[shortest]) * u_p
    found = alpha * g_r + (1 - alpha) * g_p
    cosine = torch.nn.functional.cosine_similarity(found, expected, dim=0)
    assert float(cosine) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("g_r", "g_p", "alpha"), [(0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 0.0, 0.5)]
)
def test_a_task_without_a_gradient_has_no_weight(g_r, g_p, alpha):
    found = mgda_weight(
        torch.tensor([g_r]), torch.tensor([g_p]), normalization="l2"
    )
    assert float(found) == alpha


@pytest.mark.parametrize(
    ("normalization", "match"),
    [("l1", "one of .*'l2'.* got 'l1'"), ("loss", "'losses' are required")],
)
def test_wrong_normalization(normalization, match):
    with pytest.raises(ValueError, match=match):
        mgda_weight(torch.ones(2), torch.ones(2), normalization=normalization)


@pytest.mark.parametrize("shape", [(1,), (4,), (3, 1)])
def test_gradients_of_different_shapes(shape):
    with pytest.raises(ValueError, match=r"same shape, got \[3\] and"):
        mgda_weight(torch.ones(3), torch.ones(shape))


@pytest.mark.parametrize("normalization", ["none", "l2", "loss", "loss+"])
@pytest.mark.parametrize("ratio", [1e-25, 1e-6, 1.0, 1e6, 1e30])
def test_single_precision_finds_what_double_does(ratio, normalization):
    g_r, g_p = torch.randn(2, 20_000, dtype=torch.double)
    g_p = ratio * (g_p + 0.5 * g_r)
    losses = torch.tensor([0.3, 2.0], dtype=torch.double).unbind()
    expected, found = (
        mgda_weight(
            g_r.to(dtype),
            g_p.to(dtype),
            [loss.to(dtype) for loss in losses],
            normalization=normalization,
        )
        for dtype in (torch.double, torch.float)
    )
    assert found.dtype == torch.float
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(
        1 - found.double(), 1 - expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("factor", [0.3, 1.0, 7.0])
def test_parallel_gradients_are_normalised_alike(factor):
    """Nothing but rounding tells them apart once they have unit length."""
    g_r = torch.randn(1000)
    alpha = mgda_weight(g_r, factor * g_r, normalization="l2")
    assert float(alpha) == pytest.approx(factor / (1 + factor), rel=1e-5)

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from symgnn_pyg.inference import fit_fusion_weights

S, N, K = 3, 400, 5


@pytest.fixture
def labels():
    return torch.arange(N) % K


@pytest.fixture
def scores(labels):
    """A good, a poor and a useless network."""
    right = one_hot(labels, K).double()
    skill = torch.tensor([3.0, 1.0, 0.0]).double().view(S, 1, 1)
    return skill * right + torch.randn(S, N, K).double()


def objective(weights, scores, labels):
    fused = torch.einsum("s,snk->nk", weights, scores)
    prior = 0.5 * (S * weights).log().square().sum()
    return cross_entropy(fused, labels, reduction="sum") + prior


def test_weights_minimise_the_objective(scores, labels):
    weights = fit_fusion_weights(scores, labels)
    assert weights.dtype == scores.dtype
    assert not weights.requires_grad
    assert weights[0] > weights[1] > weights[2] > 0
    least = objective(weights, scores, labels)
    for s in range(S):
        for factor in (0.95, 1.05):
            other = weights.clone()
            other[s] *= factor
            assert objective(other, scores, labels) > least


def test_overconfident_scores_are_calibrated(scores, labels):
    modest = fit_fusion_weights(scores[:1], labels)
    # Ten times the scores need a tenth of the weight, up to the prior.
    bold = fit_fusion_weights(10 * scores[:1], labels)
    assert bold.item() == pytest.approx(modest.item() / 10, rel=0.05)


def test_one_sample_changes_little(scores, labels):
    weights = fit_fusion_weights(scores[:, :1], labels[:1])
    assert ((S * weights).log().abs() < 1).all()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_without_gradients(scores, labels, mode):
    expected = fit_fusion_weights(scores, labels)
    with mode():
        found = fit_fusion_weights(scores.clone(), labels.clone())
    assert torch.equal(found, expected)


def test_labels(scores, labels):
    expected = fit_fusion_weights(scores, labels)
    assert torch.equal(fit_fusion_weights(scores, labels.int()), expected)
    more = torch.cat([scores, torch.randn_like(scores[:, :3])], dim=1)
    unlabelled = torch.cat([labels, labels.new_full((3,), -100)])
    torch.testing.assert_close(fit_fusion_weights(more, unlabelled), expected)
    for wrong in (-1, scores.size(2)):
        labels[3] = wrong
        with pytest.raises(ValueError, match=f"'labels' from 0 .*got {wrong}"):
            fit_fusion_weights(scores, labels)
    with pytest.raises(TypeError, match=r"of integers, got torch\.float"):
        fit_fusion_weights(scores, labels.float())
    with pytest.raises(TypeError, match=r"'scores' to be a torch\.Tensor"):
        fit_fusion_weights(scores.numpy(), labels)


def test_shapes_and_numbers(scores, labels):
    with pytest.raises(ValueError, match=r"\[S, N, K\].*got \[400, 5\]"):
        fit_fusion_weights(scores[0], labels)
    scores[0, 0, 0] = torch.inf
    with pytest.raises(ValueError, match="must be finite"):
        fit_fusion_weights(scores, labels)

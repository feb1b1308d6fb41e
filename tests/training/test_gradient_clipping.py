import pytest
import torch
from torch.nn import Parameter

from symgnn_pyg.training.gradient_clipping import clip_gradients


def parameters(*gradients, dtype=torch.float):
    made = []
    for gradient in gradients:
        gradient = torch.tensor(gradient, dtype=dtype)
        made.append(Parameter(torch.zeros_like(gradient)))
        made[-1].grad = gradient
    return [*made, Parameter(torch.zeros(2))]  # One without a gradient.


def gradients(made):
    return torch.cat([p.grad for p in made if p.grad is not None]).tolist()


@pytest.mark.parametrize("dtype", [torch.float, torch.double])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_outliers_are_clipped_at_any_scale(scale, dtype):
    usual = torch.tensor(scale)
    made = parameters([3e6 * scale, 0.0], [4e6 * scale], dtype=dtype)
    usual = clip_gradients(made, usual)
    expected = [1.8 * scale, 0.0, 2.4 * scale]
    assert gradients(made) == pytest.approx(expected)
    assert float(usual) == pytest.approx(1.02 * scale)


@pytest.mark.parametrize("first", [0.0, 2.0])
def test_usual_gradients_are_left_alone(first):
    made = parameters([3.0, 0.0], [4.0])
    usual = clip_gradients(made, torch.tensor(first))
    assert gradients(made) == [3.0, 0.0, 4.0]
    assert float(usual) == pytest.approx(0.99 * first + 0.05 if first else 5.0)


def test_the_usual_norm_follows_a_lasting_change():
    usual = torch.tensor(1.0)
    for _ in range(400):
        made = parameters([100.0])
        usual = clip_gradients(made, usual)
    assert gradients(made) == [100.0]


@pytest.mark.parametrize("value", [0.0, torch.inf, torch.nan])
def test_nothing_is_learned_from_nothing(value):
    made = parameters([value, 0.0])
    assert float(clip_gradients(made, torch.tensor(2.0))) == 2.0


def test_no_gradients():
    assert float(clip_gradients([], torch.tensor(2.0))) == 2.0

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
    seen = torch.tensor([2 * scale, 2.0])
    made = parameters([3e6 * scale, 0.0], [4e6 * scale], dtype=dtype)
    seen = clip_gradients(made, seen)
    expected = [1.8 * scale, 0.0, 2.4 * scale]
    assert gradients(made) == pytest.approx(expected)
    assert seen.tolist() == pytest.approx([4.98 * scale, 2.98])


@pytest.mark.parametrize("first", [0.0, 2.0])
def test_usual_gradients_are_left_alone(first):
    made = parameters([3.0, 0.0], [4.0])
    seen = clip_gradients(made, torch.tensor([first, first / 2]))
    assert gradients(made) == [3.0, 0.0, 4.0]
    assert seen.tolist() == pytest.approx(
        [0.99 * first + 5.0, 0.99 * first / 2 + 1]
    )


@pytest.mark.parametrize("first", [1e-3, 1e3])
def test_the_average_follows_a_lasting_change(first):
    seen = clip_gradients(parameters([first]), torch.zeros(2))
    for _ in range(600):
        made = parameters([1.0])
        seen = clip_gradients(made, seen)
    assert gradients(made) == [1.0]
    outlier = parameters([1e6])
    clip_gradients(outlier, seen)
    assert gradients(outlier)[0] < 50


@pytest.mark.parametrize("value", [0.0, torch.inf, torch.nan])
def test_nothing_is_learned_from_nothing(value):
    made = parameters([value, 0.0])
    seen = clip_gradients(made, torch.tensor([2.0, 1.0]))
    assert seen.tolist() == [2.0, 1.0]


def test_no_gradients():
    assert clip_gradients([], torch.tensor([2.0, 1.0])).tolist() == [2.0, 1.0]

import pytest
import torch

from symgnn_pyg.training import RECIPES
from symgnn_pyg.training.recipes import configure, one_cycle


def test_one_cycle():
    assert one_cycle(0.0) == pytest.approx(0.1)
    assert one_cycle(0.1) == pytest.approx(1.0)
    assert one_cycle(0.55) == pytest.approx(0.5005)
    assert one_cycle(1.0) == one_cycle(1.2) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("recipe", "kind", "rate"),
    [("one_cycle", "AdamW", 1.5e-3), ("light", "Adam", 1e-4),
     ("full", "SGD", 0.1), ("cosine", "SGD", 0.1)],
)  # fmt: skip
def test_recipes(recipe, kind, rate):
    weight = torch.nn.Parameter(torch.zeros(1))
    found = configure(recipe, [weight], None, lambda: 0.5)
    optimiser = found["optimizer"]
    assert type(optimiser).__name__ == kind
    highest = optimiser.param_groups[0].get("initial_lr", rate)
    assert highest == pytest.approx(rate)
    still = configure(recipe, [weight], 0.0, lambda: 0.5)["optimizer"]
    assert still.param_groups[0]["lr"] == 0.0
    assert recipe in RECIPES


def test_cosine_falls_from_the_highest_rate_to_zero():
    weight = torch.nn.Parameter(torch.zeros(1))
    given = iter([0.5, 1.0])
    found = configure("cosine", [weight], 0.2, lambda: next(given))
    optimiser, schedule = found["optimizer"], found["lr_scheduler"]["scheduler"]
    group = optimiser.param_groups[0]
    assert group["nesterov"]
    rates = [group["lr"]]
    for _ in range(2):
        optimiser.step()
        schedule.step()
        rates.append(group["lr"])
    assert rates == pytest.approx([0.2, 0.1, 0.0])


def test_one_cycle_follows_the_progress():
    weight, shares = torch.nn.Parameter(torch.zeros(1)), [0.05, 0.1, 0.55, 1.0]
    given = iter(shares)
    found = configure("one_cycle", [weight], 2.0, lambda: next(given))
    schedule = found["lr_scheduler"]["scheduler"]
    # Nothing is asked before the training has begun.
    rates = schedule.get_last_lr()
    for _ in shares:
        found["optimizer"].step()
        schedule.step()
        rates += schedule.get_last_lr()
    assert rates == pytest.approx(
        [2.0 * one_cycle(share) for share in (0.0, *shares)]
    )


def test_full_decays_every_40_epochs():
    weight = torch.nn.Parameter(torch.zeros(1))
    found = configure("full", [weight], None, lambda: 0.5)
    optimiser, schedule = found["optimizer"], found["lr_scheduler"]
    rates = []
    for _ in range(100):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates[39] == pytest.approx(0.1)
    assert rates[40] == pytest.approx(0.01)
    assert rates[99] == pytest.approx(0.001)

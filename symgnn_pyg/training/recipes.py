import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Timer
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, StepLR

RATES = {"one_cycle": 1.5e-3, "cosine": 0.1, "light": 1e-4, "full": 0.1}
RECIPES = tuple(RATES)
NESTEROV = partial(SGD, momentum=0.9, nesterov=True)
OPTIMISERS: dict[str, Callable[..., Optimizer]] = {
    "one_cycle": partial(AdamW, weight_decay=1e-2),
    "cosine": partial(NESTEROV, weight_decay=5e-4),
    "light": Adam,
    "full": partial(NESTEROV, weight_decay=1e-4),
}
WARM_UP = 0.1


def configure(
    recipe: str,
    parameters: Iterable[Parameter],
    learning_rate: float | None,
    progress: Callable[[], float],
) -> dict[str, Any]:
    r"""The optimiser and the learning rate schedule of a recipe, in the format
    of Lightning; see :class:`~symgnn_pyg.training.SymGNNTask`. The schedule
    follows :obj:`progress`, which returns the fraction of training that is
    done.
    """
    highest = RATES[recipe] if learning_rate is None else learning_rate
    optimiser = OPTIMISERS[recipe](parameters, lr=highest)
    if recipe == "light":
        return {"optimizer": optimiser}
    if recipe == "full":
        return {"optimizer": optimiser, "lr_scheduler": StepLR(optimiser, 40)}
    factor = one_cycle if recipe == "one_cycle" else cosine
    by_step = LambdaLR(
        optimiser, lambda step: factor(progress() if step else 0.0)
    )
    return {
        "optimizer": optimiser,
        "lr_scheduler": {"scheduler": by_step, "interval": "step"},
    }


def base_rates(trainer: Trainer) -> list[list[float]]:
    r"""The learning rates of all groups of parameters of each optimiser, before
    a schedule multiplies them.
    """
    return [
        [group.get("initial_lr", group["lr"]) for group in groups]
        for groups in _groups(trainer)
    ]


def set_base_rates(trainer: Trainer, rates: list[list[float]]) -> None:
    r"""Changes the learning rates that :meth:`base_rates` returns in the middle
    of a schedule, which keeps its shape.
    """
    configs = trainer.lr_scheduler_configs
    for groups, new in zip(_groups(trainer), rates, strict=True):
        for group, rate in zip(groups, new, strict=True):
            before = group.get("initial_lr")
            if before is not None and before != rate:
                share = group["lr"] / before if before else 1.0
                group["lr"] = rate * share
                group["initial_lr"] = rate
            elif before is None and not configs:
                group["lr"] = rate
    for config in configs:
        schedule: Any = config.scheduler
        if hasattr(schedule, "base_lrs"):
            groups = schedule.optimizer.param_groups
            schedule.base_lrs = [group["initial_lr"] for group in groups]


def _groups(trainer: Trainer) -> list[list[dict[str, Any]]]:
    return [optimiser.param_groups for optimiser in trainer.optimizers]


def one_cycle(progress: float) -> float:
    r"""The factor of the highest learning rate: it rises linearly from 0.1 to 1
    during the first tenth of training, and then falls to 0.001 along a cosine.
    """
    if progress < WARM_UP:
        return 0.1 + 0.9 * progress / WARM_UP
    return 1e-3 + 0.999 * cosine((progress - WARM_UP) / (1 - WARM_UP))


def cosine(progress: float) -> float:
    r"""The factor of the highest learning rate: it falls from 1 to 0 along a
    cosine.
    """
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress))


def progress(trainer: Trainer) -> float:
    r"""The fraction of a training that is done, in steps or in time, whichever
    is closer to its limit.
    """
    shares = [trainer.global_step / trainer.estimated_stepping_batches]
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, Timer):
            left = callback.time_remaining()
            if left is not None:
                elapsed = callback.time_elapsed()
                shares.append(elapsed / (elapsed + left))
    return min(1.0, max(shares))

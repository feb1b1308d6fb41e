import math
from collections.abc import Callable, Iterable
from typing import Any

from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import LambdaLR, StepLR

RATES = {"one_cycle": 1.5e-3, "light": 1e-4, "full": 0.1}
RECIPES = tuple(RATES)
WARM_UP = 0.1


def configure(
    recipe: str,
    parameters: Iterable[Parameter],
    learning_rate: float | None,
    progress: Callable[[], float],
) -> dict[str, Any]:
    r"""The optimiser and the learning rate schedule of a recipe, in the format
    of Lightning; see :class:`~symgnn_pyg.training.SymGNNTask`.

    Args:
        recipe: One of :obj:`"one_cycle"`, :obj:`"light"` and :obj:`"full"`.
        parameters: The parameters to train.
        learning_rate: The highest learning rate.
            (default: that of the recipe)
        progress: A function that returns the fraction of training that is
            done, once training has started.
    """
    highest = RATES[recipe] if learning_rate is None else learning_rate
    if recipe == "light":
        return {"optimizer": Adam(parameters, highest)}
    if recipe == "full":
        sgd = SGD(
            parameters,
            highest,
            momentum=0.9,
            weight_decay=1e-4,
            nesterov=True,
        )
        return {"optimizer": sgd, "lr_scheduler": StepLR(sgd, 40)}
    adam = AdamW(parameters, highest, weight_decay=1e-2)
    cycle = LambdaLR(adam, lambda step: one_cycle(progress() if step else 0.0))
    return {
        "optimizer": adam,
        "lr_scheduler": {"scheduler": cycle, "interval": "step"},
    }


def one_cycle(progress: float) -> float:
    r"""The factor of the highest learning rate: it rises linearly from 0.1 to 1
    during the first tenth of training, and then falls to 0.001 along a cosine.

    Args:
        progress: The fraction of training that is done.
    """
    if progress < WARM_UP:
        return 0.1 + 0.9 * progress / WARM_UP
    done = min(1.0, (progress - WARM_UP) / (1 - WARM_UP))
    return 1e-3 + 0.999 * (0.5 + 0.5 * math.cos(math.pi * done))

from collections.abc import Mapping
from typing import Any

import torch


def check_resumable(
    checkpoint: Mapping[str, Any], recipe: str, statistics: list[Any]
) -> None:
    r"""Checks that a training can continue from a checkpoint.

    Args:
        checkpoint: What :class:`SymGNNTask` saved.
        recipe: The recipe of the training.
        statistics: The mean and the deviation that its poses are normalised
            by, or nothing.

    Raises:
        ValueError: If the checkpoint has another recipe or other statistics.
    """
    kept = checkpoint.get("recipe", recipe)
    if kept != recipe:
        raise ValueError(
            f"The checkpoint was trained with recipe={kept!r}, got "
            f"{recipe!r}, whose optimiser cannot continue from there; pass "
            f"recipe={kept!r}, or start a new training from the weights with "
            f"load_from_checkpoint"
        )
    before = torch.tensor(checkpoint.get("standardize", statistics))
    now = torch.tensor(statistics)
    # Other machines may add up in another order.
    if before.shape != now.shape or not torch.allclose(
        before, now, rtol=1e-4, atol=1e-6
    ):
        raise ValueError(
            "The checkpoint was trained on poses with another mean or "
            "deviation than those of the data set's 'standardize()': pass the "
            "transform of that training, or start a new training from the "
            "weights with load_from_checkpoint"
        )

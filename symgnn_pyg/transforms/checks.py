r"""What the arguments of several transforms have to be."""

import math

from torch import Tensor


def check_range(
    name: str, values: tuple[float, float], most: float = math.inf
) -> tuple[float, float]:
    r"""Refuses a range that is not :obj:`0 < low <= high <= most`."""
    low, high = values
    if not 0.0 < low <= high <= most or math.isinf(high):
        limit = "" if math.isinf(most) else f" <= {most:g}"
        raise ValueError(
            f"'{name}' must be (low, high) with 0 < low <= high{limit}, got "
            f"{values}"
        )
    return low, high


def check_probability(p: float) -> float:
    r"""Refuses what is no probability."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"'p' must be from 0 to 1, got {p}")
    return p


def check_space(motion: Tensor, transform: object) -> None:
    r"""Refuses a motion that has not exactly three channels."""
    if motion.size(-1) != 3:
        raise ValueError(
            f"{transform} needs three channels, got a motion of shape "
            f"{list(motion.shape)}"
        )

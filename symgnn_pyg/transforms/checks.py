r"""Argument checks that several transforms share."""

import math
from numbers import Real

from torch import Tensor


def check_range(
    name: str, values: tuple[float, float], most: float = math.inf
) -> tuple[float, float]:
    r"""Checks that a range satisfies :obj:`0 < low <= high <= most`."""
    bounds = () if isinstance(values, Real) else tuple(values)
    if (
        len(bounds) != 2
        or not 0.0 < bounds[0] <= bounds[1] <= most
        or math.isinf(bounds[1])
    ):
        limit = "" if math.isinf(most) else f" <= {most:g}"
        raise ValueError(
            f"'{name}' must be (low, high) with 0 < low <= high{limit}, got "
            f"{values}"
        )
    return bounds


def check_space(motion: Tensor, transform: object) -> None:
    r"""Checks that a motion has exactly three channels."""
    if motion.size(-1) != 3:
        raise ValueError(
            f"{transform} requires a motion with three channels, got shape "
            f"{list(motion.shape)}"
        )

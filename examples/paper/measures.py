"""Measures of results, and their spread over seeds."""

import statistics
from collections.abc import Iterable
from typing import Any, NamedTuple

from examples.paper.data import FRAME_MS

SHORT_MS = (80, 160, 320, 400)


class Spread(NamedTuple):
    """A measure over several seeds.

    Args:
        mean: The mean.
        std: The standard deviation, or :obj:`None` for a single seed.
    """

    mean: float
    std: float | None = None


def spread(values: list[float]) -> Spread:
    """The mean and standard deviation of some numbers."""
    several = len(values) > 1
    return Spread(
        statistics.fmean(values), statistics.stdev(values) if several else None
    )


def frame_at(milliseconds: int) -> int:
    """The index of the future frame at a time."""
    return milliseconds // FRAME_MS - 1


def average_error(
    result: dict[str, Any], frame: int, actions: Iterable[str] | None = None
) -> float:
    """The mean angle error at a frame, averaged over some actions, or all."""
    errors = result["error"]
    return statistics.fmean(errors[a][frame] for a in actions or errors)


def accuracy(result: dict[str, Any]) -> float:
    """The top-1 accuracy in percent."""
    return 100 * result["top1"]


def short_error(result: dict[str, Any]) -> float:
    """The error averaged over the times that the paper reports."""
    return statistics.fmean(
        average_error(result, frame_at(ms)) for ms in SHORT_MS
    )

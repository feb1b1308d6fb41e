from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from symgnn_pyg.visualization.arrays import ArrayLike, literal, to_array
from symgnn_pyg.visualization.colours import CYCLE, MARKERS


def plot_error(
    errors: Mapping[str, ArrayLike], frame_rate: float, ax: Axes | None = None
) -> Axes:
    r"""Plots the errors of predictions over time. The last observed frame is
    at 0 ms.

    Args:
        errors: The errors by name, of shape :math:`[T']`, in the unit of the
            metric; :math:`T'` may differ.
        frame_rate: The number of frames per second.
        ax: The axes to draw on. (default: those of a new figure)

    Returns:
        The axes.

    Raises:
        ValueError: If there are no errors, a shape does not fit, or
            :obj:`frame_rate` is not positive.
    """
    if not 0.0 < frame_rate < np.inf:
        raise ValueError(f"'frame_rate' must be positive, got {frame_rate}")
    if not errors:
        raise ValueError("'errors' must hold at least one curve, got none")
    arrays = {name: to_array(error, name) for name, error in errors.items()}
    for name, error in arrays.items():
        if error.ndim != 1 or not error.size:
            raise ValueError(
                f"Expected '{name}' of shape [T'], got {list(error.shape)}"
            )
    if ax is None:
        _, ax = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
    for number, (name, error) in enumerate(arrays.items()):
        ax.plot(
            1000.0 * np.arange(1, len(error) + 1) / frame_rate,
            error,
            color=CYCLE[number % len(CYCLE)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4,
            label=literal(name),
        )
    ax.set(xlabel="time after the last observed frame (ms)", ylabel="error")
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax

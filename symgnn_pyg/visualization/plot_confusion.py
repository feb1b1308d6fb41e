from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from symgnn_pyg.visualization.arrays import (
    ArrayLike,
    literal,
    to_array,
    to_labels,
)

# With more classes, the numbers would be too small to read.
MOST_NUMBERED = 20


def plot_confusion(
    confusion: ArrayLike,
    classes: Sequence[str],
    labels: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draws a confusion matrix: how often samples of each class (row) were
    recognised as each class (column). Colours show the share of the row; up to
    20 classes, the numbers of the matrix are printed too. The row of a class
    without samples is grey.

    Args:
        confusion: The confusion matrix, of shape :math:`[K, K]`; or, if
            :obj:`labels` are given, logits or probabilities of shape
            :math:`[N, K]`.
        classes: The names of the :math:`K` classes.
        labels: The true classes, of shape :math:`[N]`.
            (default: :obj:`None`)
        ax: The axes to draw on. (default: those of a new figure)

    Returns:
        The axes.

    Raises:
        ValueError: If a shape does not fit, a label is out of range, or a
            number is not finite or, in a confusion matrix, negative.
    """
    num_classes = len(classes)
    matrix = to_array(confusion, "confusion")
    shape = [num_classes, num_classes]
    if labels is not None:
        true = to_labels(labels, "labels", num_classes)
        shape[0] = len(true)
    if list(matrix.shape) != shape:
        raise ValueError(
            f"Expected 'confusion' of shape {shape}, got {list(matrix.shape)}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("'confusion' must be finite, got NaN or infinity")
    if labels is not None:
        found = matrix.argmax(1)
        matrix = np.zeros((num_classes, num_classes))
        np.add.at(matrix, (true, found), 1)
    if (matrix < 0).any():
        raise ValueError(
            "'confusion' must not hold negative numbers; if these are logits, "
            "pass 'labels' as well"
        )
    total = matrix.sum(1, keepdims=True)
    share = np.divide(
        matrix, total, out=np.full_like(matrix, np.nan), where=total > 0
    )
    if ax is None:
        side = 1.5 + 0.35 * num_classes + max(map(_width, classes))
        _, ax = plt.subplots(figsize=(side + 0.8, side), layout="compressed")
    colours = plt.colormaps["cividis"].with_extremes(bad="#dddddd")
    image = ax.imshow(share, cmap=colours, vmin=0, vmax=1)
    names = [literal(name) for name in classes]
    ax.set_xticks(range(num_classes), names, rotation=90)
    ax.set_yticks(range(num_classes), names)
    ax.set(xlabel="recognised as", ylabel="true class")
    if num_classes <= MOST_NUMBERED:
        for (row, column), number in np.ndenumerate(matrix):
            if number > 0:
                dark = share[row, column] < 0.5
                ax.text(
                    column,
                    row,
                    f"{number:.3g}" if number % 1 else f"{number:.0f}",
                    color="white" if dark else "black",
                    fontsize=8,
                    ha="center",
                    va="center",
                )
    ax.figure.colorbar(image, ax=ax, label="share of the class", fraction=0.046)
    return ax


def _width(name: str) -> float:
    """The width of a label, in inches."""
    font = FontProperties(size=plt.rcParams["xtick.labelsize"])
    points, _, _ = text_to_path.get_text_width_height_descent(name, font, False)
    return points / 72

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes

from symgnn_pyg.errors import requires_extra
from symgnn_pyg.visualization.arrays import (
    ArrayLike,
    literal,
    to_array,
    to_labels,
)
from symgnn_pyg.visualization.colours import CYCLE, MARKERS


def plot_actional_map(
    graphs: ArrayLike,
    labels: ArrayLike,
    classes: Sequence[str],
    ax: Axes | None = None,
    perplexity: float = 30.0,
) -> Axes:
    r"""Maps actional graphs to points by t-SNE, as in Fig. 12 of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper. Each graph is a vector of :math:`V^2` numbers, and similar graphs
    end up close to each other. Classes differ in colour and marker; the axes
    have no unit. The layout depends on :func:`torch.manual_seed`.

    Args:
        graphs: The actional graphs, of shape :math:`[N, V, V]`.
        labels: The class of each graph, of shape :math:`[N]`.
        classes: The names of the classes.
        ax: The axes to draw on. (default: those of a new figure)
        perplexity: The approximate number of neighbours that each graph is
            compared with, capped at :math:`(N - 1) / 3`.
            (default: :obj:`30.0`)

    Returns:
        The axes.

    Raises:
        ValueError: If the shapes do not fit, there are fewer than 4 graphs, a
            graph is not finite, or a label is out of range.
        ImportError: If scikit-learn is not installed.
    """
    graphs = to_array(graphs, "graphs")
    if graphs.ndim != 3 or graphs.shape[1] != graphs.shape[2]:
        raise ValueError(
            f"Expected 'graphs' of shape [N, V, V], got {list(graphs.shape)}"
        )
    if not np.isfinite(graphs).all():
        raise ValueError("'graphs' must be finite, got NaN or infinity")
    kinds = to_labels(labels, "labels", len(classes))
    if len(kinds) != len(graphs) or len(graphs) < 4:
        raise ValueError(
            f"Expected at least 4 'graphs' and one label per graph, got "
            f"{len(graphs)} graphs and {len(kinds)} labels"
        )
    if perplexity <= 0.0:
        raise ValueError(f"'perplexity' must be positive, got {perplexity}")
    with requires_extra("vis"):
        from sklearn.manifold import TSNE
    points = TSNE(
        perplexity=min(perplexity, (len(graphs) - 1) / 3),
        init="pca",
        random_state=int(torch.randint(2**31 - 1, ())),
    ).fit_transform(graphs.reshape(len(graphs), -1))
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 4.5), layout="constrained")
    for kind in np.unique(kinds):
        ax.scatter(
            points[kinds == kind, 0],
            points[kinds == kind, 1],
            s=28,
            color=CYCLE[kind % len(CYCLE)],
            marker=MARKERS[kind % len(MARKERS)],
            edgecolor="white",
            linewidth=0.4,
            label=literal(classes[kind]),
        )
    ax.set(xticks=[], yticks=[])
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return ax

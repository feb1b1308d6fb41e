from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes

from symgnn_pyg.visualization.arrays import (
    ArrayLike,
    literal,
    to_array,
    to_labels,
)
from symgnn_pyg.visualization.colours import CYCLE, MARKERS
from symgnn_pyg.visualization.optional import optional


def plot_actional_map(
    graphs: ArrayLike,
    labels: ArrayLike,
    classes: Sequence[str],
    ax: Axes | None = None,
    perplexity: float = 30.0,
) -> Axes:
    r"""Actional graphs as points of the plane by t-SNE, as Fig. 12 of the
    paper: each graph is taken for a vector of :math:`V^2` numbers, and
    graphs that are alike come to lie near each other. Classes differ in
    colour and marker; axes have no unit. The layout depends on
    :func:`torch.manual_seed`.

    Args:
        graphs: The actional graphs, of shape :math:`[N, V, V]`.
        labels: The class of each graph, of shape :math:`[N]`.
        classes: The names of the classes.
        ax: Where to draw. (default: a new figure)
        perplexity: How many neighbours a graph is compared with; at most
            :math:`(N - 1) / 3` are. (default: :obj:`30.0`)

    Returns:
        The axes.

    Raises:
        ValueError: If a shape is another, there are fewer than 4 graphs,
            a number is not finite or a label is unknown.
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
            f"Expected at least 4 'graphs' and as many 'labels', got "
            f"{len(graphs)} and {len(kinds)}"
        )
    if perplexity <= 0.0:
        raise ValueError(f"'perplexity' must be positive, got {perplexity}")
    manifold = optional("sklearn.manifold", "scikit-learn", "plot_actional_map")
    points = manifold.TSNE(
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

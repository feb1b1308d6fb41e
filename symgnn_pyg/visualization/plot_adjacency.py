import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.visualization.arrays import ArrayLike, literal, to_graph


def plot_adjacency(
    graph: ArrayLike, skeleton: Skeleton | str, ax: Axes | None = None
) -> Axes:
    r"""Draws a graph of the joints as a heat map. Row :math:`i` and column
    :math:`j` show how strongly joint :math:`j` acts on joint :math:`i`.

    Args:
        graph: The graph, of shape :math:`[V, V]`: actional, structural or any
            other.
        skeleton: The skeleton; for a graph of bones, its
            :meth:`~symgnn_pyg.Skeleton.dual`.
        ax: The axes to draw on. (default: those of a new figure)

    Returns:
        The axes.

    Raises:
        ValueError: If the shape does not fit the skeleton.
    """
    skeleton = as_skeleton(skeleton)
    weight = to_graph(graph, "graph", skeleton)
    if ax is None:
        side = 2.0 + 0.2 * skeleton.num_joints
        _, ax = plt.subplots(figsize=(side + 0.8, side), layout="constrained")
    image = ax.imshow(weight, cmap="viridis", interpolation="nearest")
    at = range(skeleton.num_joints)
    names = [literal(name) for name in skeleton.joints]
    ax.set_xticks(at, names, rotation=90, fontsize=8)
    ax.set_yticks(at, names, fontsize=8)
    ax.set(xlabel="joint that acts", ylabel="joint that is acted on")
    ax.figure.colorbar(image, ax=ax, label="weight", fraction=0.046)
    return ax

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize

from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.visualization.arrays import (
    ArrayLike,
    Up,
    to_graph,
    to_positions,
)
from symgnn_pyg.visualization.plot_skeleton import pose_axes


def plot_actional_edges(
    actional: ArrayLike,
    position: ArrayLike,
    skeleton: Skeleton | str,
    num_edges: int = 15,
    ax: Axes | None = None,
    up: Up = "y",
) -> Axes:
    r"""Draws the strongest edges of an actional graph over the skeleton, as in
    Fig. 11 of the `"Symbiotic Graph Neural Networks for 3D Skeleton-based
    Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper. Arrows point from the joint
    that acts to the joint that it acts on; stronger edges are darker, with a
    colour bar of their weights, and self-loops are left out. A 3-D pose is seen
    from the front.

    Args:
        actional: The actional graph, of shape :math:`[V, V]`: row :math:`i`
            holds how strongly each joint acts on joint :math:`i`.
        position: The joints' positions, of shape :math:`[V, 3]` or
            :math:`[V, 2]`, in any unit of length.
        skeleton: The skeleton.
        num_edges: The number of edges to draw. (default: :obj:`15`)
        ax: The axes to draw on. (default: those of a new figure)
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. (default: :obj:`"y"`)

    Returns:
        The axes.

    Raises:
        ValueError: If the shapes do not fit the skeleton, numbers are not
            finite, or :obj:`num_edges` is negative.
    """
    skeleton = as_skeleton(skeleton)
    weight = to_graph(actional, "actional", skeleton).copy()
    x, y = to_positions(position, "position", skeleton, up).T[:2]
    if not np.isfinite(weight).all():
        raise ValueError("'actional' must be finite, got NaN or infinity")
    if not np.isfinite([x, y]).all():
        raise ValueError(
            "'position' must be finite, got NaN or infinity; draw a frame in "
            "which no joint is missing"
        )
    if num_edges < 0:
        raise ValueError(f"'num_edges' must not be negative, got {num_edges}")
    ax = pose_axes(2, ax)
    for a, b in skeleton.bones + skeleton.links:
        ax.plot(x[[a, b]], y[[a, b]], color="#bbbbbb", linewidth=3, zorder=1)
    ax.scatter(x, y, color="#555555", s=12, zorder=2)
    np.fill_diagonal(weight, -np.inf)
    num_joints = skeleton.num_joints
    count = min(num_edges, num_joints * (num_joints - 1))
    strongest = np.argsort(-weight, axis=None, kind="stable")[:count]
    if count > 0:
        drawn = weight.flat[strongest]
        # Without the yellow end of the colour map, which is faint on white.
        shades = ListedColormap(
            plt.colormaps["viridis_r"](np.linspace(0.35, 1.0, 256))
        )
        colours = ScalarMappable(
            Normalize(min(0.0, drawn.min()), drawn.max()), shades
        )
        ax.figure.colorbar(colours, ax=ax, label="weight", fraction=0.046)
    for edge in strongest.tolist():
        target, source = divmod(edge, num_joints)
        ax.annotate(
            "",
            xy=(x[target], y[target]),
            xytext=(x[source], y[source]),
            arrowprops={
                "arrowstyle": "-|>",
                "color": colours.to_rgba(weight[target, source]),
                "connectionstyle": "arc3,rad=0.2",
            },
            zorder=3,
        )
    ax.set_aspect("equal")
    return ax

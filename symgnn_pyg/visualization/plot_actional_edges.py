from math import inf

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton


def plot_actional_edges(
    actional: Tensor,
    position: Tensor,
    skeleton: Skeleton,
    num_edges: int = 15,
    ax: Axes | None = None,
) -> Axes:
    r"""The strongest edges of an actional graph over the skeleton, as arrows
    from the joint that acts to the one that is acted on, the stronger the
    darker; self-loops are left out.

    Args:
        actional: The actional graph, of shape :math:`[V, V]`: row
            :math:`i` holds what acts on joint :math:`i`.
        position: The joints' positions, of shape :math:`[V, 3]`, y up.
        skeleton: The skeleton.
        num_edges: How many edges to draw. (default: :obj:`15`)
        ax: Where to draw. (default: a new figure)

    Returns:
        The axes.

    Raises:
        ValueError: If the shapes do not fit the skeleton.
    """
    num_joints = skeleton.num_joints
    if actional.shape != (num_joints,) * 2 or position.shape != (num_joints, 3):
        raise ValueError(
            f"Expected 'actional' [{num_joints}, {num_joints}] and 'position' "
            f"[{num_joints}, 3], got {list(actional.shape)} and "
            f"{list(position.shape)}"
        )
    if ax is None:
        _, ax = plt.subplots(figsize=(4, 5), layout="constrained")
    x, y = position[:, 0].numpy(), position[:, 1].numpy()
    for a, b in skeleton.bones + skeleton.links:
        ax.plot(x[[a, b]], y[[a, b]], color="#bbbbbb", linewidth=3, zorder=1)
    ax.scatter(x, y, color="#555555", s=12, zorder=2)
    weight = actional.detach().clone().fill_diagonal_(-inf).flatten()
    count = min(num_edges, num_joints * (num_joints - 1))
    index = weight.topk(count).indices
    shade = np.linspace(1.0, 0.35, count)
    for rank, edge in enumerate(index.tolist()):
        target, source = divmod(edge, num_joints)
        ax.annotate(
            "",
            xy=(x[target], y[target]),
            xytext=(x[source], y[source]),
            arrowprops={
                "arrowstyle": "-|>",
                "color": plt.colormaps["viridis_r"](shade[rank]),
                "connectionstyle": "arc3,rad=0.2",
            },
            zorder=3,
        )
    ax.set_aspect("equal")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from symgnn_pyg.skeleton import Skeleton, as_skeleton, body_sides
from symgnn_pyg.visualization.arrays import (
    ArrayLike,
    Centre,
    Up,
    literal,
    to_motions,
)
from symgnn_pyg.visualization.colours import DARK, LINE_STYLES, OF_SIDE


def plot_poses(
    rows: Mapping[str, ArrayLike],
    skeleton: Skeleton | str,
    times: Sequence[str],
    title: str = "",
    up: Up = "y",
    centre: Centre = False,
    num_coordinates: int | None = None,
) -> Figure:
    r"""Draws poses over time, one row per motion, as in Fig. 13 of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper. The left side of the body is blue and the right side orange. 3-D
    poses are seen from the front and slightly from the side. Several bodies
    in one scene differ in line style: solid, dotted, dashed and so on.

    Args:
        rows: The motions by name: positions of shape :math:`[T, V, C]`, or
            :math:`[T, M, V, C]` for a scene of :math:`M \leq 6` bodies, with
            :math:`C = 2` or 3, in any unit of length.
        skeleton: The skeleton.
        times: The caption of each of the :math:`T` columns.
        title: The title of the figure. (default: none)
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. (default: :obj:`"y"`)
        centre: The joint, by name or index, that is kept at the origin, so
            that a walking body stays in view: its position, in a scene of
            several bodies that of the first, is subtracted from each frame
            of each motion. :obj:`True` stands for :obj:`skeleton.centre`.
            (default: :obj:`False`, positions as given)
        num_coordinates: The number of leading channels that are coordinates.
            (default: all but a score, which
            :func:`~symgnn_pyg.skeleton.count_coordinates` finds)

    Returns:
        The figure.

    Raises:
        ValueError: If there are no motions or no times, a shape does not fit,
            :obj:`up` or :obj:`centre` is unknown, or the joint
            :obj:`centre` is NaN in a frame.
    """
    if not times:
        raise ValueError("'times' must hold at least one caption, got none")
    skeleton = as_skeleton(skeleton)
    motions = to_motions(
        rows, skeleton, up, len(times), centre, num_coordinates
    )
    side = body_sides(skeleton)
    figure, axes = plt.subplots(
        len(motions),
        len(times),
        figsize=(1.3 * len(times), 2.2 * len(motions)),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for line, (name, motion) in zip(axes, motions.items(), strict=True):
        across, height = motion[..., 0], motion[..., 1]
        if motion.shape[-1] == 3:
            across = 0.85 * across + 0.53 * motion[..., 2]
            height = height - 0.1 * motion[..., 2]
        line[0].set_ylabel(literal(name))
        for ax, xs, ys in zip(line, across, height, strict=True):
            for x, y, style in zip(xs, ys, LINE_STYLES, strict=False):
                for a, b in skeleton.bones + skeleton.links:
                    ax.plot(
                        [x[a], x[b]],
                        [y[a], y[b]],
                        color=OF_SIDE[side[a]][0],
                        linestyle=style,
                        linewidth=2,
                        solid_capstyle="round",
                    )
            ax.scatter(xs, ys, s=5, color=DARK, zorder=3)
            ax.set_aspect("equal")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    for ax, time in zip(axes[-1], times, strict=True):
        ax.set_xlabel(literal(time))
    figure.suptitle(title)
    return figure

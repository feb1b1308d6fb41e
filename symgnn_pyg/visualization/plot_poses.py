from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton

# Told apart by colour-blind readers too.
LEFT, RIGHT, MIDDLE = "#0072b2", "#d55e00", "#555555"


def side_colour(name: str) -> str:
    r"""The colour of the side of the body that a joint's name tells."""
    name = name.lower()
    if name.startswith("left") or (name[0] == "l" and "low" not in name):
        return LEFT
    return RIGHT if name[0] == "r" and name != "root" else MIDDLE


def plot_poses(
    rows: Mapping[str, Tensor],
    skeleton: Skeleton,
    times: Sequence[str],
    title: str = "",
) -> Figure:
    r"""Poses over time, one row a motion, seen from the front and a little
    from the side; the left of the body is blue, the right orange.

    Args:
        rows: The motions by name: positions of shape :math:`[T, V, 3]`,
            y up.
        skeleton: The skeleton.
        times: The caption of each of the :math:`T` columns.
        title: The picture's title. (default: none)

    Returns:
        The figure.

    Raises:
        ValueError: If a motion has another shape than that.
    """
    for name, motion in rows.items():
        if motion.shape != (len(times), skeleton.num_joints, 3):
            raise ValueError(
                f"Expected {name!r} of shape [{len(times)}, "
                f"{skeleton.num_joints}, 3], got {list(motion.shape)}"
            )
    figure, axes = plt.subplots(
        len(rows),
        len(times),
        figsize=(1.3 * len(times), 2.2 * len(rows)),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for line, (name, motion) in zip(axes, rows.items(), strict=True):
        across = 0.85 * motion[..., 0] + 0.53 * motion[..., 2]
        up = motion[..., 1] - 0.1 * motion[..., 2]
        line[0].set_ylabel(name)
        for ax, x, y in zip(line, across, up, strict=True):
            for a, b in skeleton.bones + skeleton.links:
                ax.plot(
                    [x[a], x[b]],
                    [y[a], y[b]],
                    color=side_colour(skeleton.joints[a]),
                    linewidth=2,
                    solid_capstyle="round",
                )
            ax.set_aspect("equal")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    for ax, time in zip(axes[-1], times, strict=True):
        ax.set_xlabel(time)
    figure.suptitle(title)
    return figure

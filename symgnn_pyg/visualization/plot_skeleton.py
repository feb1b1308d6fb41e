from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.visualization.arrays import (
    Array,
    ArrayLike,
    Up,
    literal,
    to_positions,
)
from symgnn_pyg.visualization.bone_path import bone_path
from symgnn_pyg.visualization.colours import GREY, joint_colours


def plot_skeleton(
    position: ArrayLike,
    skeleton: Skeleton,
    ax: Axes | None = None,
    up: Up = "y",
) -> Axes:
    r"""A pose in the plane or in space, with axes of equal scale. The left of
    the body is blue, the right orange and the middle grey, each part in
    another shade than its neighbours; in a skeleton without sides each part
    has its own colour. A bone belongs to the part of its child joint, links
    are dotted, and :obj:`ax.legend()` names the parts. Joints that are NaN
    are left out.

    Args:
        position: The joints' positions, of shape :math:`[V, 2]` or
            :math:`[V, 3]`, in any unit of length.
        skeleton: The skeleton.
        ax: Where to draw: axes of a projection :obj:`"3d"` if the positions
            are in space. (default: a new figure)
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. What is drawn is turned so that it is
            y. (default: :obj:`"y"`)

    Returns:
        The axes.

    Raises:
        ValueError: If the shape does not fit the skeleton or the axes, or
            :obj:`up` is none of its values.
    """
    position = to_positions(position, "position", skeleton, up)
    ax = pose_axes(position.shape[-1], ax)
    draw_pose(ax, position, skeleton)
    equal_scale(ax)
    return ax


def pose_axes(channels: int, ax: Any = None) -> Any:
    r"""Axes for poses in the plane or in space, seen a little from the side,
    without ticks.

    Args:
        channels: 2 or 3.
        ax: The axes. (default: those of a new figure)

    Raises:
        ValueError: If the axes are of the other kind.
    """
    if ax is None:
        _, ax = plt.subplots(
            figsize=(4, 5),
            layout="constrained",
            subplot_kw={"projection": "3d"} if channels == 3 else {},
        )
    if (ax.name == "3d") != (channels == 3):
        raise ValueError(
            f"Positions with {channels} channels cannot be drawn on axes of "
            f"the projection {ax.name!r}; make them by plt.subplots("
            f"subplot_kw={{'projection': '3d'}}) for 3 channels, by "
            f"plt.subplots() for 2"
        )
    if channels == 3:
        ax.view_init(elev=12, azim=25, vertical_axis="y")
        ax.set(xticklabels=[], yticklabels=[], zticklabels=[])
    else:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return ax


def equal_scale(ax: Any) -> None:
    r"""Gives all axes the same scale; those in space fill their place.

    Args:
        ax: The axes.
    """
    ax.set_aspect("equal")
    if ax.name == "3d":
        limits = ax.get_xlim3d(), ax.get_ylim3d(), ax.get_zlim3d()
        ax.set_box_aspect([high - low for low, high in limits], zoom=1.2)


def draw_pose(ax: Any, position: Array, skeleton: Skeleton) -> list[Any]:
    r"""Draws bones, links and joints.

    Args:
        ax: Where to draw.
        position: The positions, of shape :math:`[V, C]`, y up.
        skeleton: The skeleton.

    Returns:
        The lines: one for the bones of each part and colour, one for the
        links, one for the joints.
    """
    lines = []
    named = set()
    for (part, colour), pairs in _groups(skeleton).items():
        lines += ax.plot(
            *bone_path(position, pairs).T,
            color=colour,
            linewidth=3,
            solid_capstyle="round",
            label=f"_{part}" if part in named else literal(part),
        )
        named.add(part)
    lines += ax.plot(
        *bone_path(position, skeleton.links).T,
        color=GREY,
        linewidth=1.5,
        linestyle=":",
        label="_links",
    )
    lines += ax.plot(
        *position.T, ".", color="#222222", markersize=4, label="_joints"
    )
    return lines


def move_pose(lines: list[Any], position: Array, skeleton: Skeleton) -> None:
    r"""Moves what :func:`draw_pose` has drawn to another pose.

    Args:
        lines: What it returned.
        position: The positions, of shape :math:`[V, C]`, y up.
        skeleton: The skeleton.
    """
    groups = [*_groups(skeleton).values(), skeleton.links]
    paths = [bone_path(position, pairs) for pairs in groups]
    for line, path in zip(lines, [*paths, position], strict=True):
        if path.shape[-1] == 3:
            line.set_data_3d(*path.T)
        else:
            line.set_data(*path.T)


def _groups(
    skeleton: Skeleton,
) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """The bones of each part and colour."""
    part = skeleton.joint_to_part.tolist()
    colours = joint_colours(skeleton)
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for bone in skeleton.bones:
        key = skeleton.part_names[part[bone[0]]], colours[bone[0]]
        groups.setdefault(key, []).append(bone)
    return groups

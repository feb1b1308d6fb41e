from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.visualization.arrays import (
    Array,
    ArrayLike,
    Up,
    bone_path,
    literal,
    to_bodies,
)
from symgnn_pyg.visualization.colours import GREY, LINE_STYLES, joint_colours


def plot_skeleton(
    position: ArrayLike,
    skeleton: Skeleton | str,
    ax: Axes | None = None,
    up: Up = "y",
    num_coordinates: int | None = None,
) -> Axes:
    r"""Draws a 2-D or 3-D pose on axes of equal scale. The left side of the
    body is blue, the right side orange and the middle grey, and neighbouring
    parts differ in shade; in a skeleton without sides, each part has its own
    colour. A bone belongs to the part of its child joint, links are dotted,
    and :obj:`ax.legend()` names the parts. Several bodies in one scene differ
    in line style: solid, dotted, dashed and so on. Joints that are NaN are
    left out.

    Args:
        position: The joints' positions, of shape :math:`[V, C]`, or
            :math:`[M, V, C]` for a scene of :math:`M \leq 6` bodies, with
            :math:`C = 2` or 3, in any unit of length.
        skeleton: The skeleton.
        ax: The axes to draw on, of the projection :obj:`"3d"` for 3-D
            positions. (default: those of a new figure)
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. The pose is rotated so that y points
            up on the axes. (default: :obj:`"y"`)
        num_coordinates: The number of leading channels that are coordinates.
            (default: all but a score, which
            :func:`~symgnn_pyg.skeleton.count_coordinates` finds)

    Returns:
        The axes.

    Raises:
        ValueError: If the shape does not fit the skeleton or the axes, or
            :obj:`up` is unknown.
    """
    skeleton = as_skeleton(skeleton)
    bodies = to_bodies(
        position, "position", skeleton, up, None, num_coordinates
    )
    ax = pose_axes(bodies.shape[-1], ax)
    draw_pose(ax, bodies, skeleton)
    equal_scale(ax)
    return ax


def pose_axes(channels: int, ax: Any = None) -> Any:
    r"""Prepares axes without ticks for 2-D or 3-D poses."""
    if ax is None:
        _, ax = plt.subplots(
            figsize=(4, 5),
            layout="constrained",
            subplot_kw={"projection": "3d"} if channels == 3 else {},
        )
    if (ax.name == "3d") != (channels == 3):
        raise ValueError(
            f"Cannot draw {channels}-D positions on {ax.name!r} axes; create "
            f"them with plt.subplots() for 2-D and with plt.subplots("
            f"subplot_kw={{'projection': '3d'}}) for 3-D positions"
        )
    if channels == 3:
        ax.view_init(elev=12, azim=25, vertical_axis="y")
        ax.set(xticklabels=[], yticklabels=[], zticklabels=[])
    else:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return ax


def equal_scale(ax: Any) -> None:
    r"""Gives all axes the same scale, and lets 3-D axes fill their box."""
    ax.set_aspect("equal")
    if ax.name == "3d":
        limits = ax.get_xlim3d(), ax.get_ylim3d(), ax.get_zlim3d()
        ax.set_box_aspect([high - low for low, high in limits], zoom=1.2)


def draw_pose(ax: Any, bodies: Array, skeleton: Skeleton) -> list[Any]:
    r"""Draws bones, links and joints of bodies, of shape :math:`[M, V, C]`.

    Returns:
        For each body, one line for the bones of each part and colour, one for
        the links, and one for the joints.
    """
    lines = []
    named = set()
    groups = _groups(skeleton)
    for position, style in zip(bodies, LINE_STYLES, strict=False):
        for (part, colour), pairs in groups.items():
            lines += ax.plot(
                *bone_path(position, pairs).T,
                color=colour,
                linestyle=style,
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


def move_pose(lines: list[Any], bodies: Array, skeleton: Skeleton) -> None:
    r"""Moves the lines of :func:`draw_pose` to other poses."""
    groups = [*_groups(skeleton).values(), skeleton.links]
    paths: list[Array] = []
    for position in bodies:
        paths += [bone_path(position, pairs) for pairs in groups]
        paths.append(position)
    for line, path in zip(lines, paths, strict=True):
        move = line.set_data_3d if len(path.T) == 3 else line.set_data
        move(*path.T)


def _groups(skeleton: Skeleton) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """The bones of each part and colour."""
    part = skeleton.joint_to_part.tolist()
    colours = joint_colours(skeleton)
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for bone in skeleton.bones:
        key = skeleton.part_names[part[bone[0]]], colours[bone[0]]
        groups.setdefault(key, []).append(bone)
    return groups

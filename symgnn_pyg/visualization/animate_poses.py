import os
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

from symgnn_pyg.files import replacing
from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.visualization.arrays import (
    ArrayLike,
    Centre,
    Up,
    bounds,
    literal,
    to_motions,
)
from symgnn_pyg.visualization.colours import GREY
from symgnn_pyg.visualization.plot_skeleton import (
    draw_pose,
    equal_scale,
    move_pose,
    pose_axes,
)
from symgnn_pyg.visualization.timeline import Timeline

# Frames per second; viewers play faster GIFs more slowly than they should.
FASTEST_GIF = 50.0


def animate_poses(
    poses: Mapping[str, ArrayLike],
    skeleton: Skeleton | str,
    frame_rate: float,
    path: str | os.PathLike[str] | None = None,
    up: Up = "y",
    centre: Centre = False,
    num_coordinates: int | None = None,
) -> FuncAnimation:
    r"""Animates motions side by side, at the same scale and in the colours of
    :func:`~symgnn_pyg.visualization.plot_skeleton`. The motion named
    :obj:`"observed"` ends at 0 ms and the others continue from there; without
    it, all motions start at 0 ms. Until a motion starts, only its name is
    shown, in grey; after it has ended, it holds its last pose, and its name
    turns grey again.

    Args:
        poses: The motions by name: positions of shape :math:`[T, V, C]`, or
            :math:`[T, M, V, C]` for a scene of :math:`M \leq 6` bodies, with
            :math:`C = 2` or 3, in any unit of length; :math:`T` may differ.
        skeleton: The skeleton.
        frame_rate: The number of frames per second.
        path: The file to write, :obj:`.gif` or :obj:`.mp4`; the latter needs
            the program ffmpeg. A GIF rounds the duration of a frame to
            hundredths of a second. (default: none)
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. (default: :obj:`"y"`)
        centre: The joint that is kept at the origin, as for
            :func:`~symgnn_pyg.visualization.plot_poses`.
            (default: :obj:`False`, positions as given)
        num_coordinates: The number of leading channels that are coordinates.
            (default: all but a score, which
            :func:`~symgnn_pyg.skeleton.count_coordinates` finds)

    Returns:
        The animation.

    Raises:
        ValueError: If a shape does not fit the skeleton, :obj:`up` or
            :obj:`centre` is unknown, the joint :obj:`centre` is NaN in a
            frame, :obj:`path` has another suffix, or a GIF would have more
            than 50 frames per second.
        RuntimeError: If ffmpeg is needed but not installed.
    """
    skeleton = as_skeleton(skeleton)
    motions = to_motions(
        poses, skeleton, up, centre=centre, num_coordinates=num_coordinates
    )
    timeline = Timeline(motions, frame_rate)
    writer = None if path is None else _writer(Path(path), frame_rate)
    channels = next(iter(motions.values())).shape[-1]
    figure, axes = plt.subplots(
        1,
        len(motions),
        figsize=(3.2 * len(motions), 4.4),
        squeeze=False,
        layout="constrained",
        subplot_kw={"projection": "3d"} if channels == 3 else {},
    )
    lines = {}
    low, high = bounds(motions)
    margin = 0.05 * (high - low).max() + 1e-9
    ends = zip("xyz", low - margin, high + margin, strict=False)
    limits = {f"{axis}lim": (least, most) for axis, least, most in ends}
    for ax, (name, motion) in zip(axes[0], motions.items(), strict=True):
        pose_axes(channels, ax)
        ax.set_title(literal(name))
        lines[name] = draw_pose(ax, motion[0], skeleton)
        ax.set(**limits)
        equal_scale(ax)
    # Computing the layout once keeps the axes still.
    figure.suptitle(timeline.caption(0))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")

    def show(frame: int) -> list[plt.Artist]:
        for ax, name in zip(axes[0], motions, strict=True):
            move_pose(lines[name], timeline.pose(name, frame), skeleton)
            runs = timeline.runs(name, frame)
            ax.title.set_color("black" if runs else GREY)
            ax.axis("off" if frame < timeline.start(name) else "on")
        figure.suptitle(timeline.caption(frame))
        return [line for group in lines.values() for line in group]

    animation = FuncAnimation(
        figure, show, frames=timeline.num_frames, interval=1000.0 / frame_rate
    )
    if path is not None:
        with replacing(path) as temporary:
            animation.save(temporary, writer, dpi=100)
    return animation


def _writer(path: Path, frame_rate: float) -> PillowWriter | FFMpegWriter:
    kind = path.suffix.lower()
    if kind == ".gif":
        if frame_rate > FASTEST_GIF:
            raise ValueError(
                f"A GIF shows at most {FASTEST_GIF:g} frames per second, got "
                f"'frame_rate' {frame_rate:g}: pass every n-th frame with "
                f"'frame_rate' / n, or write an .mp4"
            )
        return PillowWriter(frame_rate)  # type: ignore[arg-type]
    if kind != ".mp4":
        raise ValueError(f"'path' must end in .gif or .mp4, got {path}")
    if not FFMpegWriter.isAvailable():
        raise RuntimeError(
            f"Writing {path} needs the program ffmpeg, which is not on the "
            f"PATH: install it, or write a .gif"
        )
    return FFMpegWriter(frame_rate)  # type: ignore[arg-type]

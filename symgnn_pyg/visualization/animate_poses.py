import os
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

from symgnn_pyg.files import replacing
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.visualization.arrays import ArrayLike, Up, bounds, to_motions
from symgnn_pyg.visualization.plot_skeleton import (
    draw_pose,
    equal_scale,
    move_pose,
    pose_axes,
)
from symgnn_pyg.visualization.timeline import Timeline

# What programs that show a GIF hold a frame for at least.
FASTEST_GIF = 50.0


def animate_poses(
    poses: Mapping[str, ArrayLike],
    skeleton: Skeleton,
    frame_rate: float,
    path: str | os.PathLike[str] | None = None,
    up: Up = "y",
) -> FuncAnimation:
    r"""Motions side by side in time, coloured as by
    :func:`~symgnn_pyg.visualization.plot_skeleton` and all in the same
    scale. The motion that is called :obj:`"observed"` ends at 0 ms, and the
    others go on from there; without it all start at 0 ms. A motion that has
    ended stays in its last pose, its name in grey.

    Args:
        poses: The motions by name: positions of shape :math:`[T, V, 3]` or
            :math:`[T, V, 2]`, in any unit of length; :math:`T` may differ.
        skeleton: The skeleton.
        frame_rate: Frames a second.
        path: The file to write, :obj:`.gif` or :obj:`.mp4`; the latter needs
            the program ffmpeg. A GIF counts time in hundredths of a second.
            (default: none)
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. (default: :obj:`"y"`)

    Returns:
        The animation, of one frame for each of the motions' frames.

    Raises:
        ValueError: If a shape does not fit the skeleton, the file is of
            another kind, or a GIF would have more than 50 frames a second.
        RuntimeError: If ffmpeg is needed and not there.
    """
    motions = to_motions(poses, skeleton, up)
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
    limits = np.stack([low - margin, high + margin], 1)
    for ax, (name, motion) in zip(axes[0], motions.items(), strict=True):
        pose_axes(channels, ax)
        ax.set_title(name)
        lines[name] = draw_pose(ax, motion[0], skeleton)
        names = [f"{axis}lim" for axis in "xyz"[:channels]]
        ax.set(**dict(zip(names, limits, strict=True)))
        equal_scale(ax)
    # Laid out once, and not again in each frame.
    figure.suptitle(timeline.caption(0))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")

    def show(frame: int) -> list[plt.Artist]:
        for ax, name in zip(axes[0], motions, strict=True):
            move_pose(lines[name], timeline.pose(name, frame), skeleton)
            runs = timeline.runs(name, frame)
            ax.title.set_color("black" if runs else "#999999")
        figure.suptitle(timeline.caption(frame))
        return [line for group in lines.values() for line in group]

    animation = FuncAnimation(
        figure,
        show,
        frames=timeline.num_frames,
        interval=1000.0 / frame_rate,
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
                f"A GIF shows at most {FASTEST_GIF:g} frames a second, not "
                f"{frame_rate:g}: pass every n-th frame and 'frame_rate' / n, "
                f"or write an .mp4"
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

import html
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, get_args

import numpy as np

from symgnn_pyg.errors import check_choices, requires_extra
from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.visualization.arrays import (
    ArrayLike,
    Centre,
    Up,
    to_array,
    to_motions,
)
from symgnn_pyg.visualization.colours import GREEN
from symgnn_pyg.visualization.page import write_page
from symgnn_pyg.visualization.side_by_side import SideBySide
from symgnn_pyg.visualization.timeline import Timeline

MOST_BARS = 10
PlotlyJS = Literal["page", "directory", "cdn"]


def view_poses(
    poses: Mapping[str, ArrayLike],
    skeleton: Skeleton | str,
    frame_rate: float,
    probabilities: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    path: str | PathLike[str] | None = None,
    up: Up = "y",
    centre: Centre = False,
    plotlyjs: PlotlyJS = "page",
    num_coordinates: int | None = None,
) -> Any:
    r"""Shows motions side by side in an interactive figure. Buttons play and
    pause, a slider selects a frame, dragging rotates 3-D poses, and a click on
    a name in the legend hides or shows a motion. The right side of the body is
    lighter than the rest, and all axes have the same scale. Several bodies in
    one scene differ in line style: solid, dotted, dashed and so on. The file
    that is written is a single HTML page that works offline, and fits a phone.

    The motion named :obj:`"observed"` ends at 0 ms and the others continue
    from there; without it, all motions start at 0 ms. A motion that has ended
    holds its last pose and fades.

    Args:
        poses: The motions by name, such as :obj:`"observed"`,
            :obj:`"true"` and :obj:`"predicted"`: positions of shape
            :math:`[T, V, C]`, or :math:`[T, M, V, C]` for a scene of
            :math:`M \leq 6` bodies, with :math:`C = 2` or 3, in any unit of
            length; :math:`T` may differ.
        skeleton: The skeleton.
        frame_rate: The number of frames per second.
        probabilities: The probability of each class at each frame, shown as
            moving bars, of shape :math:`[T, K]`. :math:`T` is the number of
            all frames, or of the observed ones, after which the bars stand
            still. The ten classes with the highest peaks are shown.
            (default: :obj:`None`)
        classes: The names of the :math:`K` classes.
            (default: their numbers)
        path: The HTML file to write. (default: none)
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. (default: :obj:`"y"`)
        centre: The joint that is kept at the origin, as for
            :func:`~symgnn_pyg.visualization.plot_poses`.
            (default: :obj:`False`, positions as given)
        plotlyjs: Where the page gets plotly from: :obj:`"page"`, itself,
            compressed to 2 MB, which requires a browser from 2023 or later;
            :obj:`"directory"`, the file :obj:`plotly.min.js` of 5 MB, which
            is written beside it and shared by the pages of a folder; or
            :obj:`"cdn"`, the internet. (default: :obj:`"page"`)
        num_coordinates: The number of leading channels that are coordinates.
            (default: all but a score, which
            :func:`~symgnn_pyg.skeleton.count_coordinates` finds)

    Returns:
        The :obj:`plotly.graph_objects.Figure`.

    Raises:
        ValueError: If a shape does not fit the skeleton, the frames or the
            classes, :obj:`up`, :obj:`centre` or :obj:`plotlyjs` is unknown,
            the joint :obj:`centre` is NaN in a frame, or a probability is not
            between 0 and 1.
        ImportError: If plotly is not installed.
    """
    check_choices(get_args(PlotlyJS), plotlyjs=plotlyjs)
    skeleton = as_skeleton(skeleton)
    motions = to_motions(
        poses, skeleton, up, centre=centre, num_coordinates=num_coordinates
    )
    scene = SideBySide(motions, frame_rate, skeleton)
    timeline = scene.timeline
    style, bars = _bars(probabilities, classes, timeline)
    with requires_extra("vis"):
        import plotly.graph_objects as plotly
    moving = [*scene.lines(0), *({**bar, **style} for bar in bars[:1])]
    figure = plotly.Figure(
        [*moving, *scene.names()],
        frames=[
            {
                "name": str(frame),
                "data": [
                    *scene.lines(frame, changes=True),
                    *bars[frame : frame + 1],
                ],
                "traces": list(range(len(moving))),
            }
            for frame in range(timeline.num_frames)
        ],
        layout=_layout(scene, bool(bars)),
    )
    if path is not None:
        title = f"{skeleton.name or 'Skeleton'}: {', '.join(motions)}"
        write_page(figure, path, title, plotlyjs)
    return figure


def _layout(scene: SideBySide, has_bars: bool) -> dict[str, Any]:
    wide = 0.68 if has_bars else 1.0
    ranges, timeline = scene.ranges, scene.timeline
    axes = [
        {
            "range": limits,
            "showgrid": False,
            "showticklabels": False,
            "zeroline": False,
            "title_text": "",
        }
        for limits in ranges.tolist()
    ]
    now = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}}
    play = {
        "fromcurrent": True,
        "mode": "immediate",
        "frame": {"duration": 1000.0 / timeline.frame_rate, "redraw": True},
        "transition": {"duration": 0},
    }
    pause = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}
    slider = {
        "steps": [
            {
                "method": "animate",
                "label": timeline.caption(frame),
                "args": [[str(frame)], now],
            }
            for frame in range(timeline.num_frames)
        ],
        "currentvalue": {"prefix": "time: ", "xanchor": "right"},
        "x": 0,
        "len": 1,
        "pad_t": 24,
    }
    buttons = {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "buttons": [
            {"label": "Play", "method": "animate", "args": [None, play]},
            {"label": "Pause", "method": "animate", "args": [[None], pause]},
        ],
        # Above the slider, opposite the time.
        "x": 0,
        "y": 0,
        "xanchor": "left",
        "yanchor": "top",
        "pad_t": 2,
    }
    layout: dict[str, Any] = {
        "template": "plotly_white",
        # Keep the camera and the hidden motions from frame to frame.
        "uirevision": "keep",
        "margin": {"l": 20, "r": 20, "t": 50, "b": 20},
        "modebar_orientation": "v",
        # A single motion has its name above it.
        "showlegend": len(timeline.motions) > 1,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "sliders": [slider],
        "updatemenus": [buttons],
    }
    if scene.is_3d:
        # As large as fits into the figure, which is wider than it is high.
        size = np.ptp(ranges, axis=1)
        size = 1.8 * size / max(size[1], size[0] / (2.3 * wide))
        # The camera stays outside the scene however it is rotated, as anything
        # behind the camera would be cut off.
        eye = np.array([0.24, 0.14, 0.96]) * float(np.linalg.norm(size))
        layout["scene"] = {
            **{f"{k}axis": a for k, a in zip("xyz", axes, strict=True)},
            "domain_x": [0, wide],
            "aspectmode": "manual",
            "aspectratio": dict(zip("xyz", size.tolist(), strict=True)),
            "uirevision": "keep",
            "camera_up": {"x": 0, "y": 1, "z": 0},
            "camera_eye": dict(zip("xyz", eye.tolist(), strict=True)),
            # Bodies of the same size look the same size everywhere.
            "camera_projection_type": "orthographic",
        }
    else:
        layout["xaxis"] = {**axes[0], "domain": [0, wide]}
        layout["yaxis"] = {**axes[1], "scaleanchor": "x"}
    if has_bars:
        layout["xaxis2"] = {
            "anchor": "y2",
            "domain": [wide + 0.12, 0.95],
            "range": [0, 1],
            "tickformat": ".0%",
            "title_text": "probability",
        }
        layout["yaxis2"] = {
            "anchor": "x2",
            "domain": [0.1, 1.0],
            "autorange": "reversed",
            "type": "category",
        }
    return layout


def _bars(
    probabilities: ArrayLike | None,
    classes: Sequence[str] | None,
    timeline: Timeline,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    r"""The bars at each frame, after what is the same at all frames."""
    if probabilities is None:
        if classes is not None:
            raise ValueError("'classes' requires 'probabilities', got None")
        return {}, []
    shares = to_array(probabilities, "probabilities")
    lengths = {timeline.num_frames, timeline.num_observed} - {0}
    num_classes = "K" if classes is None else len(classes)
    if (
        shares.ndim != 2
        or not shares.size
        or len(shares) not in lengths
        or num_classes not in ("K", shares.shape[1])
    ):
        raise ValueError(
            f"Expected 'probabilities' of shape "
            f"[{' or '.join(map(str, sorted(lengths)))}, {num_classes}], got "
            f"{list(shares.shape)}"
        )
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(
            "'probabilities' must lie between 0 and 1; apply a softmax to "
            "logits first"
        )
    shown = np.sort(np.argsort(-shares.max(0), kind="stable")[:MOST_BARS])
    names = classes or range(shares.shape[1])
    style = {
        # Plotly interprets HTML in names.
        "y": [html.escape(str(names[k]), quote=False) for k in shown],
        "orientation": "h",
        "xaxis": "x2",
        "yaxis": "y2",
        "marker_color": GREEN,
        "textposition": "outside",
        "cliponaxis": False,
        "showlegend": False,
        "hoverinfo": "skip",
    }
    # They stand still after their last frame.
    at = np.minimum(np.arange(timeline.num_frames), len(shares) - 1)
    return style, [
        {"type": "bar", "x": share, "text": [f"{s:.0%}" for s in share]}
        for share in shares[at][:, shown]
    ]

import html
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from symgnn_pyg.errors import requires_extra
from symgnn_pyg.files import replacing
from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.visualization.arrays import (
    Array,
    ArrayLike,
    Centre,
    Up,
    to_array,
    to_motions,
)
from symgnn_pyg.visualization.colours import DASHES, GREEN
from symgnn_pyg.visualization.spread import SHADES, Spread
from symgnn_pyg.visualization.timeline import Timeline

MOST_BARS = 10
PlotlyJS = Literal["page", "directory", "cdn"]
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>TITLE</title>
<style>
body { margin: 0; overflow: hidden; }
@media (prefers-color-scheme: dark) {
  body { background: black; }
  #poses { filter: invert(1) hue-rotate(180deg); }
}
</style>
<script>
// Pausing an animation rejects its promise, which plotly does not handle.
addEventListener("unhandledrejection", (event) => {
  if (event.reason === undefined) event.preventDefault();
});
</script>
</head>
<body>
"""
# On a narrow page the bars lie below the bodies; and an orthographic scene, as
# high as its box, must also be as wide.
FIT = """
const page = document.getElementById("{plot_id}"), {size, bars} = ABOUT;
function fit() {
  const narrow = page.clientWidth < 700, change = {};
  if (bars) {
    const x = [0, narrow ? 1 : 0.68], y = [narrow ? 0.4 : 0, 1];
    Object.assign(change, {
      "xaxis2.domain": [narrow ? 0.3 : 0.8, narrow ? 0.9 : 0.95],
      "yaxis2.domain": [narrow ? 0.05 : 0.1, narrow ? 0.35 : 1],
      ...(size ? {"scene.domain": {x, y}}
               : {"xaxis.domain": x, "yaxis.domain": y}),
    });
  }
  Plotly.relayout(page, change).then(() => {
    const box = page.querySelector("#scene");
    if (!box) return;
    const wide = box.clientWidth / box.clientHeight;
    const scale = 1.8 / Math.max(size[1], size[0] / wide);
    const [x, y, z] = size.map((s) => s * scale);
    Plotly.relayout(page, {"scene.aspectratio": {x, y, z}});
  });
}
fit();
addEventListener("resize", () => setTimeout(fit, 200));
"""


def view_poses(
    poses: Mapping[str, ArrayLike],
    skeleton: Skeleton | str,
    frame_rate: float,
    probabilities: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    path: str | os.PathLike[str] | None = None,
    up: Up = "y",
    centre: Centre = False,
    plotlyjs: PlotlyJS = "page",
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
        centre: The joint, by name or index, that is kept at the origin, so
            that a walking body stays in view: its position, in a scene of
            several bodies that of the first, is subtracted from each frame
            of each motion. :obj:`True` stands for :obj:`skeleton.centre`.
            (default: :obj:`False`, positions as given)
        plotlyjs: Where the page has the 5 MB of plotly from: :obj:`"page"`,
            itself; :obj:`"directory"`, the file :obj:`plotly.min.js` beside
            it, which is written, and which pages in a folder share; or
            :obj:`"cdn"`, the internet. (default: :obj:`"page"`)

    Returns:
        The :obj:`plotly.graph_objects.Figure`.

    Raises:
        ValueError: If a shape does not fit the skeleton, the frames or the
            classes, :obj:`up`, :obj:`centre` or :obj:`plotlyjs` is unknown, the
            joint
            :obj:`centre` is NaN in a frame, or a probability is not between
            0 and 1.
        ImportError: If plotly is not installed.
    """
    if plotlyjs not in get_args(PlotlyJS):
        raise ValueError(
            f"'plotlyjs' must be one of {get_args(PlotlyJS)}, got {plotlyjs!r}"
        )
    skeleton = as_skeleton(skeleton)
    motions = to_motions(poses, skeleton, up, centre=centre)
    timeline = Timeline(motions, frame_rate)
    bars = _bars(probabilities, classes, timeline)
    with requires_extra("vis"):
        import plotly.graph_objects as plotly
        from plotly.offline import get_plotlyjs
    spread = Spread(timeline, skeleton)
    first = _traces(spread, bars, 0)
    figure = plotly.Figure(
        [*first, *spread.names()],
        frames=[
            {
                "name": str(frame),
                "data": _traces(spread, bars, frame, changes=True),
                "traces": list(range(len(first))),
            }
            for frame in range(timeline.num_frames)
        ],
        layout=_layout(spread, bars is not None),
    )
    if path is not None:
        if plotlyjs == "directory":
            with replacing(Path(path).with_name("plotly.min.js")) as temporary:
                temporary.write_text(get_plotlyjs(), encoding="utf-8")
        title = f"{skeleton.name or 'Skeleton'}: {', '.join(motions)}"
        about = {
            "size": np.ptp(spread.ranges(), axis=1).tolist()
            if spread.space
            else None,
            "bars": bars is not None,
        }
        with replacing(path) as temporary:
            page = figure.to_html(
                include_plotlyjs=plotlyjs == "page" or plotlyjs,
                full_html=False,
                post_script=FIT.replace("ABOUT", json.dumps(about)),
                auto_play=False,
                default_height="100vh",
                div_id="poses",
                # Remove the button that uploads the motion to a server.
                config={
                    "displaylogo": False,
                    "responsive": True,
                    "showSendToCloud": False,
                    "plotlyServerURL": "",
                    "modeBarButtonsToRemove": ["select2d", "lasso2d"],
                },
            )
            head = PAGE.replace("TITLE", html.escape(title))
            temporary.write_text(
                f"{head}{page}\n</body>\n</html>\n", encoding="utf-8"
            )
    return figure


def _traces(
    spread: Spread,
    bars: tuple[Array, list[str]] | None,
    frame: int,
    changes: bool = False,
) -> list[dict[str, Any]]:
    """The lines and bars at a frame, or only the values that change."""
    traces = []
    kind = "scatter3d" if spread.space else "scatter"
    for number, name in enumerate(spread.timeline.motions):
        over = frame >= spread.timeline.start(name) and not (
            spread.timeline.runs(name, frame)
        )
        for body, light in spread.strokes(name):
            trace = {
                "type": kind,
                "opacity": 0.35 if over else 1.0,
                **spread.lines(name, body, light, frame),
            }
            if not changes:
                trace |= {
                    "mode": "lines",
                    "name": html.escape(name, quote=False),
                    "legendgroup": name,
                    "showlegend": body == 0 and not light,
                    "hoverinfo": "skip",
                    "line": {
                        "color": SHADES[number % len(SHADES)][light],
                        "width": 7 if spread.space else 4,
                        "dash": DASHES[body],
                    },
                }
            traces.append(trace)
    if bars is not None:
        shares, names = bars
        share = shares[min(frame, len(shares) - 1)]
        trace = {
            "type": "bar",
            "x": share,
            "text": [f"{s:.0%}" for s in share],
        }
        if not changes:
            trace |= {
                "y": names,
                "orientation": "h",
                "xaxis": "x2",
                "yaxis": "y2",
                "marker": {"color": GREEN},
                "textposition": "outside",
                "cliponaxis": False,
                "showlegend": False,
                "hoverinfo": "skip",
            }
        traces.append(trace)
    return traces


def _layout(spread: Spread, has_bars: bool) -> dict[str, Any]:
    wide = 0.68 if has_bars else 1.0
    hidden = {
        "showgrid": False,
        "showticklabels": False,
        "zeroline": False,
        "title": {"text": ""},
    }
    ranges = spread.ranges()
    axes = [{**hidden, "range": r} for r in ranges]
    layout: dict[str, Any] = {
        "template": "plotly_white",
        # Keep the camera and the hidden motions from frame to frame.
        "uirevision": "keep",
        "margin": {"l": 20, "r": 20, "t": 50, "b": 20},
        "modebar": {"orientation": "v"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "sliders": [_slider(spread.timeline)],
        "updatemenus": [_buttons(spread.timeline)],
    }
    if spread.space:
        # As large as fits into the figure, which is wider than it is high.
        size = np.ptp(ranges, axis=1)
        size = 1.8 * size / max(size[1], size[0] / (2.3 * wide))
        # The camera stays outside the scene however it is rotated, as anything
        # behind the camera would be cut off.
        eye = np.array([0.24, 0.14, 0.96]) * float(np.linalg.norm(size))
        layout["scene"] = {
            **{f"{k}axis": a for k, a in zip("xyz", axes, strict=True)},
            "domain": {"x": [0, wide]},
            "aspectmode": "manual",
            "aspectratio": dict(zip("xyz", size.tolist(), strict=True)),
            "uirevision": "keep",
            "camera": {
                "up": {"x": 0, "y": 1, "z": 0},
                "eye": dict(zip("xyz", eye.tolist(), strict=True)),
                # Bodies of the same size look the same size everywhere.
                "projection": {"type": "orthographic"},
            },
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
            "title": {"text": "probability"},
        }
        layout["yaxis2"] = {
            "anchor": "x2",
            "domain": [0.1, 1.0],
            "autorange": "reversed",
            "type": "category",
        }
    return layout


def _slider(timeline: Timeline) -> dict[str, Any]:
    now = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}}
    return {
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
        "pad": {"t": 24},
    }


def _buttons(timeline: Timeline) -> dict[str, Any]:
    play = {
        "fromcurrent": True,
        "mode": "immediate",
        "frame": {"duration": 1000.0 / timeline.frame_rate, "redraw": True},
        "transition": {"duration": 0},
    }
    pause = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "buttons": [
            {"label": "Play", "method": "animate", "args": [None, play]},
            {"label": "Pause", "method": "animate", "args": [[None], pause]},
        ],
        "x": 0,
        "y": 0,
        "xanchor": "left",
        "yanchor": "top",
        # Above the slider, opposite the time.
        "pad": {"t": 2},
    }


def _bars(
    probabilities: ArrayLike | None,
    classes: Sequence[str] | None,
    timeline: Timeline,
) -> tuple[Array, list[str]] | None:
    if probabilities is None:
        if classes is not None:
            raise ValueError("'classes' requires 'probabilities', got None")
        return None
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
    # Plotly interprets HTML in names.
    names = [
        html.escape(str(n), quote=False)
        for n in classes or range(shares.shape[1])
    ]
    shown = np.sort(np.argsort(-shares.max(0), kind="stable")[:MOST_BARS])
    return shares[:, shown], [names[k] for k in shown]

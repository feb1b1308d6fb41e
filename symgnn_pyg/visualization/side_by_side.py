import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from symgnn_pyg.skeleton import Skeleton, body_sides
from symgnn_pyg.visualization.arrays import Array, bone_path, bounds
from symgnn_pyg.visualization.colours import DASHES, SHADES
from symgnn_pyg.visualization.timeline import Timeline


class SideBySide:
    r"""Motions next to each other along x, as traces of plotly."""

    def __init__(
        self,
        motions: Mapping[str, Array],
        frame_rate: float,
        skeleton: Skeleton,
    ) -> None:
        low, high = bounds(motions)  # [C]
        self.is_3d = len(low) == 3
        margin = 0.08 * (high - low).max() + 1e-9
        shift = np.zeros((len(motions), len(low)))
        width = high[0] - low[0] + 2 * margin
        shift[:, 0] = width * np.arange(len(motions))
        pairs = zip(motions.items(), shift, strict=True)
        apart = {name: motion + along for (name, motion), along in pairs}
        self.timeline = Timeline(apart, frame_rate)
        # Where the name of each motion stands.
        self.tops = shift + (low + high) / 2
        self.tops[:, 1] = high[1] + margin
        # The range of each axis, with room for the names.
        self.ranges = np.stack([low - margin, high + margin + shift[-1]], 1)
        self.ranges[1, 1] += margin
        side = body_sides(skeleton)
        bones = skeleton.bones + skeleton.links
        self.bones = [
            [bone for bone in bones if (side[bone[0]] == "right") == light]
            for light in (False, True)
        ]

    def lines(self, frame: int, changes: bool = False) -> list[dict[str, Any]]:
        r"""Two lines per body at a frame, one in the dark shade and one in the
        light shade, or only what changes from frame to frame.
        """
        timeline = self.timeline
        traces = []
        for number, (name, motion) in enumerate(timeline.motions.items()):
            over = frame >= timeline.start(name) + len(motion)
            for body, pose in enumerate(timeline.pose(name, frame)):
                for light, bones in enumerate(self.bones):
                    line = bone_path(pose, bones).astype(np.float32)
                    trace = self._trace(line.T, opacity=0.5 if over else 1.0)
                    if not changes:
                        trace |= {
                            "mode": "lines",
                            "name": html.escape(name, quote=False),
                            "legendgroup": name,
                            "showlegend": body == 0 and not light,
                            "hoverinfo": "skip",
                            "line_color": SHADES[number % len(SHADES)][light],
                            "line_width": 7 if self.is_3d else 4,
                            "line_dash": DASHES[body],
                        }
                    traces.append(trace)
        return traces

    def names(self) -> list[dict[str, Any]]:
        r"""The name of each motion above it."""
        return [
            self._trace(
                self.tops[number, :, None].tolist(),
                mode="text",
                text=[html.escape(name, quote=False)],
                textfont_color=SHADES[number % len(SHADES)][0],
                legendgroup=name,
                showlegend=False,
                hoverinfo="skip",
            )
            for number, name in enumerate(self.timeline.motions)
        ]

    def _trace(self, points: Any, **options: Any) -> dict[str, Any]:
        kind = "scatter3d" if self.is_3d else "scatter"
        places = dict(zip("xyz", points, strict=False))
        return {"type": kind, **places, **options}

import html
from itertools import product
from typing import Any

import numpy as np

from symgnn_pyg.skeleton import Skeleton, body_sides
from symgnn_pyg.visualization.arrays import bone_path, bounds
from symgnn_pyg.visualization.colours import (
    BLUE,
    DARK,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
)
from symgnn_pyg.visualization.timeline import Timeline

# Dark for the left side and the middle of the body, light for the right side.
SHADES = (
    (DARK, GREY),
    (BLUE, SKY),
    (VERMILLION, ORANGE),
    (GREEN, "#7fceb9"),
    (PURPLE, "#e5bcd3"),
)


class Spread:
    r"""Lays out motions side by side along x."""

    def __init__(self, timeline: Timeline, skeleton: Skeleton) -> None:
        self.timeline = timeline
        side = body_sides(skeleton)
        self.pairs: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
        for pair in skeleton.bones + skeleton.links:
            self.pairs[side[pair[0]] == "right"].append(pair)
        self.low, self.high = bounds(timeline.motions)
        self.margin = 0.08 * float((self.high - self.low).max()) + 1e-9
        self.width = float(self.high[0] - self.low[0]) + 2 * self.margin
        self.space = len(self.low) == 3

    def ranges(self) -> list[list[float]]:
        r"""The range of each axis, with room for the names at the top."""
        low, high = self.low - self.margin, self.high + self.margin
        high[0] += self.width * (len(self.timeline.motions) - 1)
        high[1] += self.margin
        return np.stack([low, high], 1).tolist()

    def strokes(self, name: str) -> list[tuple[int, bool]]:
        r"""The bodies of a motion, each in the dark and the light shade."""
        num_bodies = self.timeline.motions[name].shape[1]
        return [*product(range(num_bodies), (False, True))]

    def lines(
        self, name: str, body: int, light: bool, frame: int
    ) -> dict[str, Any]:
        r"""The bones of a body in one shade, as a single line with gaps."""
        shift = np.zeros(len(self.low))
        shift[0] = self.width * list(self.timeline.motions).index(name)
        pose = self.timeline.pose(name, frame)[body] + shift
        line = bone_path(pose, self.pairs[light]).astype(np.float32)
        return dict(zip("xyz", line.T, strict=False))

    def names(self) -> list[dict[str, Any]]:
        r"""The traces that write the name of each motion above it."""
        middle = (self.low + self.high) / 2
        middle[1] = self.high[1] + self.margin
        traces = []
        for number, name in enumerate(self.timeline.motions):
            at = middle.copy()
            at[0] += number * self.width
            traces.append(
                {
                    "type": "scatter3d" if self.space else "scatter",
                    "mode": "text",
                    "text": [html.escape(name, quote=False)],
                    "textfont": {"color": SHADES[number % len(SHADES)][0]},
                    "legendgroup": name,
                    "showlegend": False,
                    "hoverinfo": "skip",
                    **{k: [float(v)] for k, v in zip("xyz", at, strict=False)},
                }
            )
        return traces

"""Draws the ratios of benchmarks as bars.

python -m benchmarks.chart docs/benchmarks/*.json   # an .svg beside each
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from symgnn_pyg.visualization.colours import BLUE, GREY

OURS = "symgnn_pyg"


def write(path: Path) -> None:
    """Writes the chart of a file of results beside it, if it has ratios."""
    found = json.loads(path.read_text())
    figure = draw(found)
    if figure is not None:
        # The same results give the same file; letters are text, not paths.
        style = {"svg.hashsalt": "chart", "svg.fonttype": "none"}
        with mpl.rc_context(style):
            runs = [f"{run['command']}, {run['commit']}" for run in found]
            about = {"Date": None, "Description": "; ".join(runs)}
            figure.savefig(path.with_suffix(".svg"), metadata=about)


def draw(found: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draws the columns of ratios: medians as bars, quartiles as lines, ours in
    blue. The dashed line is what the others are compared with.
    """
    tables = [table for run in found for table in run["tables"]]
    tables = [table for table in tables if _ratios(table)]
    if not tables:
        return None
    bars = [[*_bars(table)] for table in tables]
    heights = [len(each) + 3 for each in bars]
    figure = Figure((9, 0.21 * sum(heights) + 0.3), layout="constrained")
    panels = figure.subfigures(
        len(tables), squeeze=False, height_ratios=heights
    )
    for table, rows, panel in zip(tables, bars, panels[:, 0], strict=True):
        panel.suptitle(table["title"], fontsize=10)
        columns, names = _ratios(table), [name for name, _ in rows]
        axes = panel.subplots(1, len(columns), sharey=True, squeeze=False)[0]
        others = any(name.startswith(OURS) for name in names)
        for ax, column in zip(axes, columns, strict=True):
            for place, (name, row) in enumerate(rows):
                if column in row:
                    low, median, high = np.broadcast_to(row[column], 3)
                    other = others and not name.startswith(OURS)
                    ax.barh(place, median, color=GREY if other else BLUE)
                    ax.plot([low, high], [place, place], "black", lw=1)
            ax.axvline(1, color="black", linestyle="--", lw=0.8)
            ax.set_xlabel(fill(column, 26))
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def _ratios(table: Mapping[str, Any]) -> list[str]:
    """The columns of numbers in which one row, the reference, is 1."""
    found = []
    for column in table["columns"]:
        cells = [row[column] for row in table["rows"] if column in row]
        numbers = all(isinstance(cell, float | list) for cell in cells)
        if numbers and any(cell in (1.0, [1.0] * 3) for cell in cells):
            found.append(column)
    return found


def _bars(table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The name and the row of each bar, and lines with the shapes that the
    bars below have in common.
    """
    before = ""
    for row in table["rows"]:
        *columns, last = (
            column
            for column in table["columns"]
            if not isinstance(row.get(column, 0.0), float | list)
        )
        shape = ", ".join(f"{column}: {row[column]}" for column in columns)
        if shape != before:
            yield shape, {}
        before = shape
        yield str(row[last]), row


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        write(Path(argument))

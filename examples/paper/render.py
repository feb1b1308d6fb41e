"""Writes one table or figure as Markdown, JSON, PNG and SVG."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from examples.paper.measures import Spread
from examples.paper.published import LOST, published
from examples.shared import save_figure
from symgnn_pyg.files import replacing
from symgnn_pyg.visualization.colours import BLUE, GREY

Cell = float | str | Spread | None
Cells = Mapping[str, Mapping[str, Cell]]
PAPER, OURS = GREY, BLUE
ACCURACY, ERROR = "accuracy, %", "mean angle error, radians"
STYLES = ("o-", "s--", "^-.", "d:", "v-", "x--")


@dataclass
class Page:
    """A table or figure.

    Args:
        title: What it shows.
        setting: The data sets in the paper.
        columns: The names of all columns but the first.
        rows: Name and cells of each row; an empty cell is :obj:`None`.
        figure: The picture.
        notes: Remarks.
    """

    title: str
    setting: tuple[str, ...]
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    figure: Figure
    notes: list[str] = field(default_factory=list)


def comparison(
    name: str,
    title: str,
    setting: tuple[str, ...],
    ours: Cells,
    data: str,
    x: str | Sequence[str],
    notes: list[str],
) -> Page:
    """A page of published numbers and ours.

    Args:
        name: The name of the published table.
        title: What the page shows.
        setting: The data sets in the paper.
        ours: Our numbers, by row and column.
        data: The name of our data set.
        x: The label of all horizontal axes, or of each.
        notes: Remarks.
    """
    theirs = published(name)
    if not any(theirs.values()):
        notes = [LOST.format("table"), *notes]
    columns, rows = compare(theirs, ours, data)
    figure = bars(theirs, ours, data, x)
    return Page(title, setting, columns, rows, figure, notes)


def compare(
    theirs: Cells, ours: Cells, data: str
) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Columns and rows with published numbers and ours side by side.

    Args:
        theirs: The published numbers, by row and column.
        ours: Our numbers, by row and column.
        data: The name of our data set.
    """
    sides = [("paper", theirs), (f"ours, {data}", ours)]
    names = unique(
        name for _, cells in sides for row in cells.values() for name in row
    )
    found = [
        (name, side, cells)
        for name in names
        for side, cells in sides
        if any(name in row for row in cells.values())
    ]
    columns = [f"{name} ({side})" for name, side, _ in found]
    rows = [
        (row, [cells.get(row, {}).get(name) for name, _, cells in found])
        for row in unique([*theirs, *ours])
    ]
    return columns, rows


def unique(names: Iterable[str]) -> list[str]:
    """The distinct names, in order of first occurrence."""
    return list(dict.fromkeys(names))


def write(
    page: Page, name: str, protocol: Mapping[str, object], folder: Path
) -> list[Path]:
    """Writes a page as Markdown, JSON, PNG and SVG.

    Args:
        page: The page.
        name: The name of the files.
        protocol: The protocol of our numbers.
        folder: The folder.
    """
    paths = [folder / f"{name}.{suffix}" for suffix in ("md", "json", "png")]
    markdown, content, picture = paths
    found = to_content(page, name, protocol)
    with replacing(markdown) as path:
        path.write_text(to_markdown(found))
    with replacing(content) as path:
        path.write_text(json.dumps(found, indent=2) + "\n")
    save_figure(page.figure, picture)
    plt.close(page.figure)
    return paths


def to_content(
    page: Page, name: str, protocol: Mapping[str, object]
) -> dict[str, Any]:
    """The page in JSON types, without its picture."""

    def plain(cell: Cell) -> object:
        return cell._asdict() if isinstance(cell, Spread) else cell

    return {
        "name": name,
        "title": page.title,
        "setting": list(page.setting),
        "columns": list(page.columns),
        "rows": [
            {"row": row, "cells": list(map(plain, cells))}
            for row, cells in page.rows
        ],
        "notes": page.notes,
        "protocol": dict(protocol),
    }


def to_markdown(content: Mapping[str, Any]) -> str:
    """The page as Markdown, from what its JSON file holds."""
    name = content["name"]
    lines = [f"# {name}: {content['title']}", ""]
    lines += [f"- {note}" for note in content["notes"]]
    lines += ["", f"![{name}]({name}.png)", ""]
    if content["rows"]:
        heads = [column.replace("|", "\\|") for column in content["columns"]]
        lines.append(f"| | {' | '.join(heads)} |")
        lines.append(f"|---|{'---|' * len(heads)}")
        for row in content["rows"]:
            cells = " | ".join(map(to_text, row["cells"]))
            lines.append(f"| {row['row']} | {cells} |")
        lines.append("")
    lines += ["## Protocol", ""]
    lines += [
        f"- {key}: {to_words(value)}"
        for key, value in content["protocol"].items()
    ]
    return "\n".join(lines) + "\n"


def to_text(cell: float | str | dict[str, Any] | None) -> str:
    """A cell of a Markdown table."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, dict):
        mean, std = Spread(**cell)
        text = f"{mean:.{3 if abs(mean) < 1000 else 4}g}"
        return text if std is None else f"{text} ± {std:.2g}"
    return f"{cell:g}"


def to_words(value: object) -> str:
    """A value of the protocol as text."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def number(cell: Cell) -> float | None:
    """The number to draw for a cell."""
    if isinstance(cell, Spread):
        return cell.mean
    return cell if isinstance(cell, float | int) else None


def bars(
    theirs: Cells, ours: Cells, data: str, x: str | Sequence[str]
) -> Figure:
    """Published numbers and ours as bars, one panel per column.

    Args:
        theirs: The published numbers, by row and column.
        ours: Our numbers, by row and column.
        data: The name of our data set.
        x: The label of all horizontal axes, or of each.
    """
    both = {"paper": (theirs, PAPER), f"ours, {data}": (ours, OURS)}
    rows = unique([*theirs, *ours])
    names = unique(
        name
        for cells, _ in both.values()
        for row in cells.values()
        for name in row
    )
    across = min(2, len(names))
    down = -(-len(names) // across)
    figure, axes = plt.subplots(
        down,
        across,
        figsize=(3 + 2.6 * across, 0.6 + down * (1 + 0.34 * len(rows))),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    labels = [x] * len(names) if isinstance(x, str) else x
    titled = zip(names, labels, strict=True)
    handles: dict[str, Artist] = {}
    for ax, (name, label) in zip(axes.flat, titled, strict=False):
        numbers = {
            side: {
                i: value
                for i, row in enumerate(rows)
                if (value := number(cells.get(row, {}).get(name))) is not None
            }
            for side, (cells, _) in both.items()
        }
        shown = [side for side, found in numbers.items() if found]
        for place, side in enumerate(shown):
            shift = 0.4 * place - 0.2 * (len(shown) - 1)
            handles[side] = ax.barh(
                [i + shift for i in numbers[side]],
                list(numbers[side].values()),
                height=0.38,
                color=both[side][1],
            )
        ax.set_title(name, fontsize=10)
        ax.set_xlabel(label)
        ax.grid(axis="x", alpha=0.3)
    axes[0][0].set_yticks(range(len(rows)), rows)
    axes[0][0].invert_yaxis()
    for ax in list(axes.flat)[len(names) :]:
        ax.set_axis_off()
    figure.legend(
        handles.values(), handles, loc="outside lower center", ncols=2
    )
    return figure


def lines(
    panels: Mapping[str, Mapping[str, Mapping[float, Cell]]],
    x: str,
    y: str = "",
) -> Figure:
    """Curves, in panels side by side.

    Args:
        panels: The points of each curve, by title and name.
        x: The label of the horizontal axis.
        y: The label of the vertical axis. (default: the title of each panel,
            which then has its own legend)
    """
    names = unique(name for curves in panels.values() for name in curves)
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    figure, axes = plt.subplots(
        down,
        across,
        figsize=(
            max(7.0, 1 + 3.4 * across),
            0.6 + 2.8 * down + 0.25 * (len(names) // 3),
        ),
        squeeze=False,
        layout="constrained",
    )
    handles: dict[str, Artist] = {}
    for ax, (title, curves) in zip(axes.flat, panels.items(), strict=False):
        for name, points in curves.items():
            i = names.index(name)
            drawn = {at: number(v) for at, v in points.items()}
            drawn = {at: v for at, v in drawn.items() if v is not None}
            (handles[name],) = ax.plot(
                drawn.keys(),
                drawn.values(),
                STYLES[i % len(STYLES)],
                markersize=4,
                color=PAPER if name.startswith("paper") else f"C{i}",
                label=name,
            )
        ax.set(xlabel=x, ylabel=y or title)
        ax.grid(alpha=0.3)
        if y:
            ax.set_title(title, fontsize=10)
        elif len(curves) > 1:
            ax.legend()
    for ax in list(axes.flat)[len(panels) :]:
        ax.set_axis_off()
    if y:
        figure.legend(
            handles.values(), handles, loc="outside lower center", ncols=3
        )
    return figure

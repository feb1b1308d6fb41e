import csv
import os
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from symgnn_pyg.errors import DataError
from symgnn_pyg.visualization.arrays import Array, ArrayLike, to_array
from symgnn_pyg.visualization.colours import BLUE, DARK, VERMILLION

Log = Mapping[str, ArrayLike]
LOSSES = {"recognition": (BLUE, "-"), "prediction": (VERMILLION, "--")}
ALPHA = "alpha"


def plot_losses(
    log: str | os.PathLike[str] | Log, ax: Axes | None = None
) -> Axes:
    r"""Plots the recognition and the prediction loss over training on a
    logarithmic axis, since they differ in scale, and the weight :math:`\alpha`
    of recognition on a second axis at the right. Quantities that were not
    logged are left out.

    Args:
        log: The file :obj:`metrics.csv` of Lightning's :obj:`CSVLogger`
            (:func:`~symgnn_pyg.training.make_trainer` writes it to
            :obj:`OUTPUT/logs/csv/`), or arrays of shape :math:`[S]` by name:
            :obj:`"recognition"`, :obj:`"prediction"`, :obj:`"alpha"` and,
            unless they are 0, 1, 2, ..., the :obj:`"step"` of each. NaN
            entries are left out.
        ax: The axes to draw on. (default: those of a new figure)

    Returns:
        The axes of the losses.

    Raises:
        DataError: If the file is not such a table, or there is no loss. The
            message names the line.
        ValueError: If an array has another shape.
    """
    if isinstance(log, Mapping):
        columns, where = _from_arrays(log), "the log"
    else:
        columns, where = _from_csv(Path(log)), str(log)
    step = columns.pop("step")
    losses = [name for name in LOSSES if np.isfinite(columns[name]).any()]
    if not losses:
        raise DataError(
            f"{where}: expected values of "
            f"{' or '.join(map(repr, LOSSES))}, got none"
        )
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for name in losses:
        colour, style = LOSSES[name]
        seen = np.isfinite(columns[name])
        ax.plot(
            step[seen],
            columns[name][seen],
            color=colour,
            linestyle=style,
            label=name,
        )
    ax.set_yscale("log")
    ax.set(xlabel="step", ylabel="loss")
    ax.spines["top"].set_visible(False)
    lines = list(ax.lines)
    seen = np.isfinite(columns[ALPHA])
    if seen.any():
        right = ax.twinx()
        lines += right.plot(
            step[seen],
            columns[ALPHA][seen],
            color=DARK,
            linestyle=":",
            label=r"$\alpha$",
        )
        right.set(ylabel=r"$\alpha$", ylim=(-0.02, 1.02))
        right.spines["top"].set_visible(False)
    ax.legend(
        handles=lines,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(lines),
        frameon=False,
    )
    return ax


def _from_arrays(log: Log) -> dict[str, Array]:
    names = [name for name in (*LOSSES, ALPHA) if name in log]
    columns = {name: to_array(log[name], name) for name in names}
    first = next(iter(columns.values()), np.empty(0))
    length = len(first) if first.ndim else 1
    columns["step"] = to_array(log.get("step", np.arange(length)), "step")
    for name, column in columns.items():
        if column.shape != (length,):
            raise ValueError(
                f"Expected '{name}' of shape [{length}], got "
                f"{list(column.shape)}"
            )
    nothing = np.full(length, np.nan)
    return dict.fromkeys((*LOSSES, ALPHA), nothing) | columns


def _from_csv(path: Path) -> dict[str, Array]:
    columns: dict[str, list[float]] = {
        name: [] for name in ("step", *LOSSES, ALPHA)
    }
    with open(path, newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        if "step" not in (table.fieldnames or ()):
            raise DataError(
                f"Expected {path} to be the metrics.csv of Lightning's "
                f"CSVLogger with a column 'step', got the columns "
                f"{list(table.fieldnames or ())}"
            )
        for row in table:
            for name, column in columns.items():
                try:
                    column.append(float(row.get(name) or "nan"))
                except ValueError:
                    raise DataError(
                        f"{path}, line {table.line_num}: expected a number "
                        f"for '{name}', got {row[name]!r}"
                    ) from None
    return {name: np.array(column) for name, column in columns.items()}

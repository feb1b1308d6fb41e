import csv
import os
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from symgnn_pyg.errors import DataError
from symgnn_pyg.visualization.arrays import Array, ArrayLike, to_array
from symgnn_pyg.visualization.colours import BLUE, DARK, VERMILLION

Log = Mapping[str, ArrayLike]
LOSSES = ("recognition", "prediction")
STYLES = {
    "recognition": (BLUE, "-"),
    "prediction": (VERMILLION, "--"),
    "alpha": (DARK, ":"),
}


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
    seen = {name: np.isfinite(columns[name]) for name in STYLES}
    if not any(seen[name].any() for name in LOSSES):
        raise DataError(
            f"{where}: expected values of "
            f"{' or '.join(map(repr, LOSSES))}, got none"
        )
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
    ax.set(xlabel="step", ylabel="loss", yscale="log")
    ax.spines[["top", "right"]].set_visible(False)
    lines: list[Line2D] = []
    for name, (colour, style) in STYLES.items():
        if not seen[name].any():
            continue
        axes, label = ax, name
        if name == "alpha":
            axes, label = ax.twinx(), r"$\alpha$"
            axes.set(ylabel=label, ylim=(-0.02, 1.02))
            axes.spines["top"].set_visible(False)
        lines += axes.plot(
            step[seen[name]],
            columns[name][seen[name]],
            color=colour,
            linestyle=style,
            label=label,
        )
    ax.legend(
        handles=lines,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(lines),
        frameon=False,
    )
    return ax


def _from_arrays(log: Log) -> dict[str, Array]:
    columns = {n: to_array(log[n], n) for n in STYLES if n in log}
    first = next(iter(columns.values()), np.empty(0))
    length = len(first) if first.ndim else 1
    columns["step"] = to_array(log.get("step", np.arange(length)), "step")
    for name, column in columns.items():
        if column.shape != (length,):
            raise ValueError(
                f"Expected '{name}' of shape [{length}], got "
                f"{list(column.shape)}"
            )
    return dict.fromkeys(STYLES, np.full(length, np.nan)) | columns


def _from_csv(path: Path) -> dict[str, Array]:
    columns: dict[str, list[float]] = {name: [] for name in ("step", *STYLES)}
    with open(path, newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        names = list(table.fieldnames or ())
        if "step" not in names:
            raise DataError(
                f"Expected {path} to be the metrics.csv of Lightning's "
                f"CSVLogger with a column 'step', got the columns {names}"
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

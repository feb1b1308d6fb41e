"""Tables and pictures of prediction errors, beside those of the paper."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from paper.published import action_name, published_errors
from shared import positions_of, save_figure
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import CMUMocap, Human36M, MotionDataset
from symgnn_pyg.errors import DataError
from symgnn_pyg.metrics import MPJPE
from symgnn_pyg.training import evaluate
from symgnn_pyg.transforms import Standardize, steps_of
from symgnn_pyg.visualization import plot_error

FRAME_MS = 40
# The future frames that papers report.
REPORTED = (1, 3, 7, 9, 13, 24)
# The tables of the paper with its errors on each data set.
TABLES = {CMUMocap: ("table-7",), Human36M: ("table-5", "table-6", "table-8")}
Rows = dict[str, Sequence[float | None]]


def report(
    networks: Mapping[str, Module],
    test: MotionDataset,
    trained: list[str],
    seed: int | list[int],
) -> dict[str, Any]:
    """Prints and returns the errors of zero velocity, of networks and of the
    paper on test windows, and the accuracies of the network "model".

    Args:
        networks: The networks by name, among them "model".
        test: The test windows.
        trained: The actions that "model" was trained on. Others count neither
            for recognition nor for the average error.
        seed: The seed of its training.
    """
    labels = test.labels.tolist()
    known = [i for i, y in enumerate(labels) if test.classes[y] in trained]
    if not known:
        raise DataError(
            f"There are no test windows of the trained actions, "
            f"{', '.join(trained)}"
        )
    found = {name: evaluate(one, test) for name, one in networks.items()}
    recognised = evaluate(networks["model"], test[known])
    errors = {name: metrics["error"] for name, metrics in found.items()}
    rows = {"zero_velocity": found["model"]["still"], **errors}
    every = {name: metric.compute_groups() for name, metric in rows.items()}
    table = error_table(every, test, trained, paper_errors(test))
    averaged = [action for action in table["per_action"] if action in trained]
    metrics = {
        "protocol": f"mean angle error at a frame, radians; {len(test)} test "
        f"windows of {test.num_observed} observed frames from held-out "
        f"recordings; average over {', '.join(averaged)}",
        **table,
        "average_at_every_frame": {
            name: cells[[test.classes.index(a) for a in averaged]]
            .mean(dim=0)
            .tolist()
            for name, cells in every.items()
        },
        "recognition": f"{len(known)} of the windows, of trained actions",
        "top1": recognised["top1"].compute().item(),
        "top5": recognised["top5"].compute().item(),
        "seed": seed,
    }
    print_table(metrics)
    print(
        f"recognition of {metrics['recognition']}: top-1 "
        f"{metrics['top1']:.1%}, top-5 {metrics['top5']:.1%}\n"
    )
    return metrics


def report_positions(
    networks: Mapping[str, Module], test: MotionDataset, trained: list[str]
) -> dict[str, Any]:
    """Prints and returns the position errors of networks on test windows of
    rotations, by forward kinematics, and their average over trained actions."""
    every = {
        name: position_errors(network, test)
        for name, network in networks.items()
    }
    metrics = {
        "protocol": "mean per-joint position error at a frame, mm, of all "
        "joints in a file, by forward kinematics of one body for all subjects",
        **error_table(every, test, trained),
    }
    print_table(metrics, digits=1)
    return metrics


@torch.no_grad()
def position_errors(network: Module, test: MotionDataset) -> Tensor:
    """The position error of each action at each frame in mm, [K, T]."""
    standardize = standardize_of(test.transform)

    def place(poses: Tensor) -> Tensor:
        if standardize is not None:
            poses = standardize.inverse(poses)
        return positions_of(poses, test.skeleton, all_joints=True)

    num_joints = len(place(test[0].future))
    metric = MPJPE(num_joints, test.num_future, test.num_classes)
    for batch in SkeletonLoader(test, 64):
        predicted = network(batch.x).future
        metric.update(place(predicted), place(batch.future), batch.y)
    return 1000 * metric.compute_groups()


def standardize_of(transform: object) -> Standardize | None:
    """The step of a transform that normalised the poses."""
    found = [s for s in steps_of(transform) if isinstance(s, Standardize)]
    return found[-1] if found else None


def paper_errors(test: MotionDataset) -> dict[str, dict[int, float]]:
    """The paper's errors of Sym-GNN by action and milliseconds."""
    found: dict[str, dict[int, float]] = {}
    for table in TABLES.get(type(test), ()):
        for action, methods in published_errors(table).items():
            found.setdefault(action, {}).update(
                (int(time.removesuffix(" ms")), error)
                for time, error in methods["Sym-GNN"].items()
            )
    return {a: found.get(action_name(a), {}) for a in test.classes}


def error_table(
    every: Mapping[str, Tensor],
    test: MotionDataset,
    trained: list[str],
    paper: Mapping[str, Mapping[int, float]] | None = None,
) -> dict[str, Any]:
    """The errors at the times that papers report, by action, and averages.

    Args:
        every: The errors of each action at each frame, by row.
        test: The test windows.
        trained: The actions that count for averages, and that have published
            errors.
        paper: The published errors by action and time.
    """
    frames = [frame for frame in REPORTED if frame < test.num_future]
    times = [FRAME_MS * (frame + 1) for frame in frames]
    per_action: dict[str, Rows] = {
        test.classes[i]: {
            name: cells[i, frames].tolist() for name, cells in every.items()
        }
        for i in sorted(set(test.labels.tolist()))
    }
    averaged = [action for action in per_action if action in trained]
    for action in averaged:
        if paper is not None and paper.get(action):
            per_action[action]["published"] = [
                paper[action].get(ms) for ms in times
            ]
    table = {
        "horizons_ms": times,
        "per_action": per_action,
        "average": average_rows([per_action[a] for a in averaged]),
    }
    # The paper has long-term errors of only a few actions of Human3.6M.
    whole = [
        action
        for action in averaged
        if None not in per_action[action].get("published", [None])
    ]
    if 0 < len(whole) < len(averaged):
        table["average_of"] = {
            ", ".join(whole): average_rows([per_action[a] for a in whole])
        }
    return table


def average_rows(actions: Sequence[Rows]) -> Rows:
    """The average over actions, without rows that not all actions have."""
    return {
        name: [average_of(column) for column in zip(*cells, strict=True)]
        for name in actions[0]
        if None not in (cells := [rows.get(name) for rows in actions])
    }


def draw(metrics: dict[str, Any], path: Path) -> None:
    """Draws the errors of the first weights at every frame."""
    plt.switch_backend("Agg")
    figure, ax = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
    plot_error(
        {
            name.replace("_", " "): error
            for name, error in metrics["average_at_every_frame"].items()
        },
        1000 / FRAME_MS,
        ax,
    )
    published = metrics["average"].get("published")
    if published is not None:
        points = [float("nan") if v is None else v for v in published]
        ax.plot(metrics["horizons_ms"], points, "kx", label="published")
        ax.legend(frameon=False)
    ax.set_ylabel("mean angle error (rad)")
    save_figure(figure, path)


def print_spread(tables: list[dict[str, Any]]) -> None:
    # Networks may predict different times ahead.
    shortest = min(tables, key=lambda table: len(table["horizons_ms"]))
    times = shortest["horizons_ms"]
    errors = torch.tensor(
        [table["average"]["model"][: len(times)] for table in tables]
    )
    published = shortest["average"].get("published")
    print(f"average error of {len(tables)} models")
    print_row("", [f"{ms} ms" for ms in times])
    print_row("mean", errors.mean(dim=0).tolist())
    print_row("minimum", errors.amin(dim=0).tolist())
    print_row("maximum", errors.amax(dim=0).tolist())
    if published is not None:
        print_row("published", published)
    for name in ("top1", "top5"):
        cells = torch.tensor([table[name] for table in tables])
        print(
            f"{name}: mean {cells.mean():.1%}, minimum {cells.min():.1%}, "
            f"maximum {cells.max():.1%}"
        )


def print_row(
    name: str,
    cells: Sequence[float | str | None],
    action: str = "",
    digits: int = 3,
) -> None:
    texts = [
        f"{'-':>10}"
        if cell is None
        else f"{cell:>10}"
        if isinstance(cell, str)
        else f"{cell:>10.{digits}f}"
        for cell in cells
    ]
    print(f"{action:18}{name.replace('_', ' '):18}{''.join(texts)}")


def average_of(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known) if len(known) == len(numbers) else None


def print_table(metrics: dict[str, Any], digits: int = 3) -> None:
    print(f"\n{metrics['protocol']}")
    print_row("", [f"{ms} ms" for ms in metrics["horizons_ms"]])
    table = {**metrics["per_action"], "average": metrics["average"]}
    for action, rows in table.items():
        for name, values in rows.items():
            print_row(name, values, action, digits)
    for actions, rows in metrics.get("average_of", {}).items():
        print(f"average of {actions}")
        for name, values in rows.items():
            print_row(name, values, digits=digits)

"""Tables and pictures of prediction errors, beside those of the paper."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from shared import save_figure
from torch.nn import Module

from symgnn_pyg.datasets import CMUMocap, SyntheticMotion
from symgnn_pyg.training import evaluate
from symgnn_pyg.visualization import plot_error

FRAME_MS = 40
# The future frames that papers report.
REPORTED = (1, 3, 7, 9, 13, 24)
# Published mean angle errors of Sym-GNN at 80, 160, 320, 400 and 1000 ms, for
# the actions whose training and test files are all available.
PUBLISHED_MS = (80, 160, 320, 400, 1000)
PUBLISHED = {
    "basketball": (0.32, 0.48, 0.91, 1.06, 1.47),
    "jumping": (0.32, 0.55, 1.40, 1.60, 1.82),
    "running": (0.21, 0.33, 0.53, 0.56, 0.65),
    "soccer": (0.19, 0.32, 0.66, 0.78, 1.32),
    "walking": (0.26, 0.32, 0.35, 0.39, 0.52),
}


def report(
    model: Module,
    test: CMUMocap | SyntheticMotion,
    trained: list[str],
    seed: int | list[int],
    baselines: Mapping[str, Module] | None = None,
    variants: Mapping[str, Module] | None = None,
) -> dict[str, Any]:
    """Prints and returns the errors of a network, of zero velocity, of other
    baselines and of the paper on test windows, and the network's accuracies.

    Args:
        model: The network.
        test: The test windows.
        trained: The actions that the network was trained on. Others count
            neither for recognition nor for the average error.
        seed: The seed of the training.
        baselines: Further networks that predict, by name.
        variants: Further forms of the network itself, by name.
    """
    labels = test.labels.tolist()
    known = [i for i, y in enumerate(labels) if test.classes[y] in trained]
    found = evaluate(model, test)
    recognised = evaluate(model, test[known])
    frames = [frame for frame in REPORTED if frame < test.num_future]
    horizons = [FRAME_MS * (frame + 1) for frame in frames]
    rows = {
        "zero_velocity": found["still"],
        **{
            name: evaluate(baseline, test)["error"]
            for name, baseline in (baselines or {}).items()
        },
        "model": found["error"],
        **{
            name: evaluate(variant, test)["error"]
            for name, variant in (variants or {}).items()
        },
    }
    every = {name: metric.compute_groups() for name, metric in rows.items()}
    groups = {name: cells[:, frames].tolist() for name, cells in every.items()}
    per_action = {
        test.classes[i]: {name: groups[name][i] for name in rows}
        for i in sorted(set(labels))
    }
    averaged = [action for action in per_action if action in trained]
    if isinstance(test, CMUMocap):
        averaged = [a for a in averaged if a in PUBLISHED] or averaged
        for action in PUBLISHED.keys() & per_action.keys():
            published = dict(zip(PUBLISHED_MS, PUBLISHED[action], strict=True))
            per_action[action]["published"] = [
                published.get(horizon) for horizon in horizons
            ]
    average = {
        name: [average_of(column) for column in zip(*cells, strict=True)]
        for name in (*rows, "published")
        if (cells := [per_action[a].get(name) for a in averaged])[0]
    }
    metrics = {
        "protocol": f"mean angle error at a frame, radians; {len(test)} test "
        f"windows of {test.num_observed} observed frames from held-out "
        f"recordings; average over {', '.join(averaged)}",
        "horizons_ms": horizons,
        "per_action": per_action,
        "average": average,
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
    return metrics


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
    errors = torch.tensor([table["average"]["model"] for table in tables])
    published = tables[0]["average"].get("published")
    print(f"average error of {len(tables)} models")
    print_row("", [f"{ms} ms" for ms in tables[0]["horizons_ms"]])
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
    name: str, cells: Sequence[float | str | None], action: str = ""
) -> None:
    texts = [
        f"{'-':>10}"
        if cell is None
        else f"{cell:>10}"
        if isinstance(cell, str)
        else f"{cell:>10.3f}"
        for cell in cells
    ]
    print(f"{action:18}{name.replace('_', ' '):18}{''.join(texts)}")


def average_of(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known) if len(known) == len(numbers) else None


def print_table(metrics: dict[str, Any]) -> None:
    print(f"\n{metrics['protocol']}")
    print_row("", [f"{ms} ms" for ms in metrics["horizons_ms"]])
    table = {**metrics["per_action"], "average": metrics["average"]}
    for action, rows in table.items():
        for name, values in rows.items():
            print_row(name, values, action)
    print(
        f"recognition of {metrics['recognition']}: top-1 "
        f"{metrics['top1']:.1%}, top-5 {metrics['top5']:.1%}\n"
    )

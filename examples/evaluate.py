"""Compare trained weights with the published errors on CMU Mocap.

    python examples/evaluate.py --weights cmu-light-long --data cmu_mocap.zip

--weights takes names of weights that ship with the library, or folders that
`save_pretrained` wrote. For several, such as several seeds, it also prints
mean, minimum and maximum. --bones combines each with a bone network.
"""

import argparse
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from shared import FromJoints, positive
from torch.nn import Module

from symgnn_pyg.datasets import CMUMocap, SyntheticMotion
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import replacing
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.training import evaluate
from symgnn_pyg.transforms import Standardize, steps_of
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", nargs="+", required=True, help="names or folders"
    )
    parser.add_argument(
        "--bones", help="a bone network, to evaluate both as a DualSymGNN"
    )
    parser.add_argument(
        "--joint-weight",
        type=positive(float, 0, 1),
        help="weight of the joint network beside that of --bones, from 0 to 1 "
        "(default: 0.5)",
    )
    parser.add_argument(
        "--data", required=True, help="the folder or zip archive of CMU Mocap"
    )
    parser.add_argument(
        "--json", type=Path, help="write the table(s) to this file"
    )
    parser.add_argument(
        "--plot", type=Path, help="draw the average error to this file"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("outputs"),
        help="where to cache the motion parsed from --data",
    )
    args = parser.parse_args()
    if args.bones is None and args.joint_weight is not None:
        parser.error("--joint-weight requires --bones")
    warnings.formatwarning = lambda message, *_, **__: f"Note: {message}\n"
    warnings.filterwarnings("ignore", module="lightning|torch")
    try:
        run(args)
    except (DataError, ValueError, OSError) as error:
        raise SystemExit(f"Error: {error}") from None


def run(args: argparse.Namespace) -> None:
    args.output.mkdir(parents=True, exist_ok=True)
    tables = [table_of(weights, args) for weights in args.weights]
    if len(tables) > 1:
        print_spread(tables)
    if args.plot is not None:
        draw(tables[0], args.plot)
    if args.json is not None:
        kept = tables if len(tables) > 1 else tables[0]
        with replacing(args.json) as path:
            path.write_text(json.dumps(kept, indent=2) + "\n")


def table_of(weights: str, args: argparse.Namespace) -> dict[str, Any]:
    started = time.monotonic()
    model = PoseModel.from_pretrained(weights)
    if model.num_future == 0 or not model.classes:
        raise DataError(f"{weights} lacks one of the two heads")
    try:
        trained, seed = model.about["trained"], model.about["seed"]
    except KeyError as error:
        raise DataError(
            f"The configuration of {weights} lacks {error}; "
            f"examples/train.py writes it"
        ) from None
    test = CMUMocap(
        args.data,
        "test",
        num_observed=model.num_observed,
        num_future=model.num_future,
        allow_missing=True,
        path=args.output / "cmu_mocap.h5",
        transform=model.transform,
    )
    network: Module = model.model
    if isinstance(network, DualSymGNN):
        network = FromJoints(network).eval()
    if args.bones is not None:
        bones = PoseModel.from_pretrained(args.bones)
        joint, bone = model.model, bones.model
        if not isinstance(joint, SymGNN) or not isinstance(bone, SymGNN):
            raise DataError(
                f"--bones joins two networks, but {weights} or {args.bones} "
                f"is a DualSymGNN already"
            )
        weight = 0.5 if args.joint_weight is None else args.joint_weight
        if statistics_of(model) != statistics_of(bones):
            raise DataError(
                f"{args.bones} and {weights} were trained on poses that were "
                f"normalised differently"
            )
        network = FromJoints(
            DualSymGNN(
                joint,
                bone,
                recognition_weight=weight,
                prediction_weight=weight,
            )
        ).eval()
    metrics = report(network, test, trained, seed)
    metrics["seconds"] = round(time.monotonic() - started, 1)
    return metrics


def statistics_of(model: PoseModel) -> list[list[list[float]]]:
    """The mean and standard deviation of the poses a network was trained on."""
    return [
        torch.cat([step.mean, step.std]).float().tolist()
        for step in steps_of(model.transform)
        if isinstance(step, Standardize)
    ]


def report(
    model: Module,
    test: CMUMocap | SyntheticMotion,
    trained: list[str],
    seed: int,
    baselines: Mapping[str, Module] | None = None,
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
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


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


if __name__ == "__main__":
    main()

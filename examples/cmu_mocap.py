"""Recognise actions and predict motion: train Sym-GNN, light version.

    python examples/cmu_mocap.py                        # made-up motion
    python examples/cmu_mocap.py --data cmu_mocap.zip   # real motion

Trains both tasks together, keeps the weights that are best on validation
windows, evaluates them on the test windows and writes to --output:
metrics.json, model.safetensors with model.json, poses.png and actional.png.
"""

import argparse
import json
import logging
import signal
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from lightning.pytorch import seed_everything
from safetensors.torch import load_file, save_file

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import CMUMocap, SyntheticMotion
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import replacing
from symgnn_pyg.metrics import MeanAngleError, TopKAccuracy
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import (
    MotionDataModule,
    SymGNNTask,
    load_best,
    make_trainer,
)
from symgnn_pyg.transforms import cmu_positions
from symgnn_pyg.visualization import plot_actional_edges, plot_poses

SPLITS = ("train", "val", "test")
FRAME_MS = 40
# The future frames that papers report.
REPORTED = (1, 3, 7, 9, 13, 24)
# Mean angle errors of Sym-GNN as published, at 80, 160, 320, 400 and 1000 ms,
# for the actions whose training and test files can be had in full.
PUBLISHED_MS = (80, 160, 320, 400, 1000)
PUBLISHED = {
    "basketball": (0.32, 0.48, 0.91, 1.06, 1.47),
    "jumping": (0.32, 0.55, 1.40, 1.60, 1.82),
    "running": (0.21, 0.33, 0.53, 0.56, 0.65),
    "soccer": (0.19, 0.32, 0.66, 0.78, 1.32),
    "walking": (0.26, 0.32, 0.35, 0.39, 0.52),
}


def main() -> None:
    args = parse_arguments()
    warnings.formatwarning = lambda message, *_, **__: f"Note: {message}\n"
    warnings.filterwarnings("ignore", module="lightning|torch")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    plt.switch_backend("Agg")
    try:
        run(args)
    except (ArithmeticError, DataError, ValueError, OSError) as error:
        raise SystemExit(f"Error: {error}") from None


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        default="synthetic",
        help="'synthetic', or the folder or zip archive of CMU Mocap",
    )
    parser.add_argument(
        "--minutes",
        type=positive(float),
        help="training time (default: 3 on synthetic, 10 on real motion)",
    )
    parser.add_argument(
        "--steps",
        type=positive(int, 0),
        help="training steps, instead of --minutes",
    )
    parser.add_argument("--future", type=positive(int, 2), default=25)
    parser.add_argument("--batch-size", type=positive(int, 1), default=8)
    parser.add_argument("--learning-rate", type=positive(float), default=1.5e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument(
        "--weighting",
        type=weighting,
        default=0.98,
        help="'mgda', or the fixed weight of recognition, 0 to 1: the loss of "
        "prediction sums over all joints and frames, and is far larger",
    )
    parser.add_argument(
        "--checkpoint", type=Path, help="start from this model.safetensors"
    )
    parser.add_argument("--output", type=Path, default=Path("outputs"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--device",
        type=device,
        default=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
    )
    return parser.parse_args()


def positive(kind: type, least: float = 1e-6) -> Callable[[str], float]:
    """A converter that refuses numbers below :obj:`least`, and no numbers."""

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value < 1e9:
            raise argparse.ArgumentTypeError(
                f"{text} is not from {least:g} to 1e9"
            )
        return value

    return number


def weighting(text: str) -> float | str:
    return text if text == "mgda" else float(text)


def device(text: str) -> torch.device:
    try:
        return torch.empty(0, device=text).device
    except (AssertionError, RuntimeError):
        raise argparse.ArgumentTypeError(f"no device {text!r} here") from None


def run(args: argparse.Namespace) -> None:
    started = time.monotonic()
    synthetic = args.data == "synthetic"
    if args.minutes is None:
        args.minutes = 3.0 if synthetic else 10.0
    seed_everything(args.seed, verbose=False)
    args.output.mkdir(parents=True, exist_ok=True)
    train, val, test = (open_split(args, split) for split in SPLITS)
    train.transform = val.transform = test.transform = train.standardize()

    arguments = {
        "num_classes": train.num_classes,
        "observed": train.observed,
        "future": train.future,
        "dropout": args.dropout,
    }
    model = SymGNN.light(train.skeleton, **arguments)
    if args.checkpoint is not None:
        load_weights(model, args.checkpoint)
    fit(model, train, val[:: -(-len(val) // 96)], args)
    save_model(model, train, arguments, args.output)
    metrics = report(model, test, args, synthetic)
    metrics["seconds"] = round(time.monotonic() - started, 1)
    with replacing(args.output / "metrics.json") as path:
        path.write_text(json.dumps(metrics, indent=2) + "\n")
    draw(model, test, args)
    names = sorted(path.name for path in args.output.glob("[!.]*"))
    print(f"Wrote {', '.join(names)} to {args.output}/")


def open_split(
    args: argparse.Namespace, split: str
) -> CMUMocap | SyntheticMotion:
    if args.data == "synthetic":
        return SyntheticMotion(
            args.output, split, future=args.future, seed=args.seed
        )
    return CMUMocap(
        args.data,
        split,
        future=args.future,
        allow_missing=True,
        store=args.output / "cmu_mocap.h5",
    )


def load_weights(model: SymGNN, path: Path) -> None:
    try:
        state = load_file(path)
    except Exception as error:
        raise DataError(f"{path} holds no weights: {error}") from error
    try:
        model.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{path} does not fit the network: {error}") from error


def fit(
    model: SymGNN,
    train: CMUMocap | SyntheticMotion,
    val: CMUMocap | SyntheticMotion,
    args: argparse.Namespace,
) -> None:
    """Trains until the time or the steps are used up; leaves the weights that
    were best on the validation windows."""
    task = SymGNNTask(
        model,
        train,
        args.weighting,
        learning_rate=args.learning_rate,
        seed=args.seed,
    )
    data = MotionDataModule(
        train, val, args.batch_size, balanced=True, seed=args.seed
    )
    if args.steps is None:
        whole = timedelta(minutes=args.minutes)
        limits = {"max_time": whole, "val_check_interval": whole / 4}
    else:
        limits = {
            "max_steps": args.steps,
            "val_check_interval": max(1, args.steps // 4),
        }
    cuda = args.device.type == "cuda"
    trainer = make_trainer(
        args.output / "training",
        **limits,
        check_val_every_n_epoch=None,
        accelerator=args.device.type,
        devices=[args.device.index or 0] if cuda else 1,
    )
    try:
        trainer.fit(task, data)
    except SystemExit:
        # What Lightning makes of Ctrl-C, after which it is deaf to it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nStopped; reporting what there is.")
    steps, best = trainer.global_step, load_best(trainer, task)
    if best:
        print(f"{steps} steps; validation error {best['val_error']:.3f}")
    model.to(args.device).eval()


@torch.no_grad()
def evaluate(
    model: SymGNN,
    dataset: CMUMocap | SyntheticMotion,
    args: argparse.Namespace,
) -> tuple:
    """The mean angle errors of the model and of zero velocity, top-1 and
    top-5 accuracy."""
    shape = dataset.skeleton.num_joints, dataset.future, dataset.num_classes
    error, still = MeanAngleError(*shape), MeanAngleError(*shape)
    top1 = TopKAccuracy(dataset.num_classes, 1)
    top5 = TopKAccuracy(dataset.num_classes, 5)
    for batch in SkeletonLoader(dataset, 64):
        out = model(batch.x.to(args.device))
        future, last, predicted = (
            dataset.transform.inverse(frames)
            for frames in (batch.future, batch.x[:, -1:], out.future.cpu())
        )
        error.update(predicted, future, batch.y)
        still.update(last.expand_as(future), future, batch.y)
        top1.update(out.logits.cpu(), batch.y)
        top5.update(out.logits.cpu(), batch.y)
    return error, still, top1, top5


def report(
    model: SymGNN,
    test: CMUMocap | SyntheticMotion,
    args: argparse.Namespace,
    synthetic: bool,
) -> dict:
    error, still, top1, top5 = evaluate(model, test, args)
    frames = [frame for frame in REPORTED if frame < test.future]
    horizons = [FRAME_MS * (frame + 1) for frame in frames]
    rows = {"zero_velocity": still, "model": error}
    groups = {
        name: metric.compute_groups()[:, frames].tolist()
        for name, metric in rows.items()
    }
    per_action = {
        action: {name: groups[name][i] for name in rows}
        for i, action in enumerate(test.classes)
        if error.count[i] > 0
    }
    averaged = list(per_action)
    if not synthetic:
        averaged = [a for a in per_action if a in PUBLISHED] or averaged
        for action in PUBLISHED.keys() & per_action.keys():
            published = dict(zip(PUBLISHED_MS, PUBLISHED[action], strict=True))
            per_action[action]["published"] = [
                published.get(horizon) for horizon in horizons
            ]
    average = {
        name: [
            sum(per_action[action][name][k] for action in averaged)
            / len(averaged)
            for k in range(len(frames))
        ]
        for name in rows
    }
    protocol = (
        f"mean angle error at a frame, radians; {len(test)} test windows of "
        f"{test.observed} observed frames from held-out recordings; average "
        f"over {', '.join(averaged)}"
    )
    metrics = {
        "protocol": protocol,
        "horizons_ms": horizons,
        "per_action": per_action,
        "average": average,
        "top1": top1.compute().item(),
        "top5": top5.compute().item(),
        "seed": args.seed,
    }
    print_table(metrics)
    return metrics


def print_table(metrics: dict) -> None:
    print(f"\n{metrics['protocol']}")
    head = "".join(f"{ms:>7} ms" for ms in metrics["horizons_ms"])
    print(f"{'':18}{'':15}{head}")
    table = {**metrics["per_action"], "average": metrics["average"]}
    for action, rows in table.items():
        for name, values in rows.items():
            cells = "".join(
                f"{'-':>10}" if v is None else f"{v:>10.3f}" for v in values
            )
            print(f"{action:18}{name.replace('_', ' '):15}{cells}")
    print(
        f"recognition of the same windows: top-1 {metrics['top1']:.1%}, "
        f"top-5 {metrics['top5']:.1%}\n"
    )


def save_model(
    model: SymGNN,
    train: CMUMocap | SyntheticMotion,
    arguments: dict,
    output: Path,
) -> None:
    with replacing(output / "model.safetensors") as path:
        save_file(
            {k: v.contiguous().cpu() for k, v in model.state_dict().items()},
            path,
        )
    about = {
        "model": "SymGNN.light",
        "arguments": arguments,
        "skeleton": train.skeleton.to_dict(),
        "classes": train.classes,
        "mean": train.transform.mean.tolist(),
        "std": train.transform.std.tolist(),
    }
    with replacing(output / "model.json") as path:
        path.write_text(json.dumps(about, indent=2) + "\n")


@torch.no_grad()
def draw(
    model: SymGNN,
    test: CMUMocap | SyntheticMotion,
    args: argparse.Namespace,
) -> None:
    """One picture of a motion as observed, as it went on and as predicted,
    and one of the strongest actional edges of each action."""
    samples = {int(data.y): data for data in test}

    data = samples[min(samples)]
    out = model(data.x.to(args.device))
    inverse = test.transform.inverse
    observed, future, predicted = (
        cmu_positions(inverse(frames).transpose(0, 1))
        for frames in (data.x, data.future, out.future.cpu())
    )
    steps = range(0, test.future, max(1, test.future // 8))
    ago = [test.observed - test.future // 8 * k - 1 for k in range(len(steps))][
        ::-1
    ]
    figure = plot_poses(
        {
            "observed": observed[[max(0, frame) for frame in ago]],
            "true": future[list(steps)],
            "predicted": predicted[list(steps)],
        },
        test.skeleton,
        [f"{FRAME_MS * (frame + 1)} ms" for frame in steps],
        f"{test.classes[min(samples)]}, recognised as "
        f"{test.classes[int(out.logits.argmax())]}",
    )
    with replacing(args.output / "poses.png") as path:
        figure.savefig(path, dpi=120)

    figure, axes = plt.subplots(
        1,
        len(samples),
        figsize=(3 * len(samples), 4),
        layout="constrained",
        squeeze=False,
    )
    for ax, label in zip(axes[0], sorted(samples), strict=True):
        data = samples[label]
        out = model(data.x.to(args.device))
        position = cmu_positions(inverse(data.x)[:, -1])
        plot_actional_edges(
            out.actional[0].cpu(), position, test.skeleton, ax=ax
        )
        ax.set_title(test.classes[label])
    with replacing(args.output / "actional.png") as path:
        figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()

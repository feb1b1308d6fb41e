"""Train a small Sym-GNN to recognise actions and predict motion.

    python examples/cmu_mocap.py                        # synthetic motion
    python examples/cmu_mocap.py --data cmu_mocap.zip   # real motion

Trains both tasks together, selects the best weights on validation windows and
evaluates them on test windows. Writes metrics.json, poses.png, actional.png and
the model to --output; `PoseModel.from_pretrained` reads that folder.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from error_tables import FRAME_MS, report
from lightning.pytorch import seed_everything
from safetensors.torch import load_file
from shared import (
    command,
    no_traceback,
    positive,
    save_figure,
    weighting,
    write_json,
)
from short_training import fit
from torch_geometric.transforms import Compose
from train_data import open_split

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import expanded
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.nn.baselines import LinearRegression
from symgnn_pyg.skeleton import cmu_positions
from symgnn_pyg.training import light_network
from symgnn_pyg.transforms import Mirror
from symgnn_pyg.visualization import plot_actional_edges, plot_poses


def main() -> None:
    args = parse_arguments()
    plt.switch_backend("Agg")
    with no_traceback(
        lambda: f"Stopped; the files in {args.output} are complete"
    ):
        run(args)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        default="synthetic",
        help="'synthetic', or the folder or zip archive of CMU Mocap",
    )
    parser.add_argument(
        "--steps",
        type=positive(int, 0),
        default=700,
        help="training steps (default: 700)",
    )
    parser.add_argument("--future", type=positive(int, 2), default=25)
    parser.add_argument("--batch-size", type=positive(int, 1), default=32)
    parser.add_argument("--learning-rate", type=positive(float), default=3e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument(
        "--weighting",
        type=weighting,
        default="mgda",
        help="'mgda', or a fixed weight of recognition from 0 to 1 "
        "(default: mgda)",
    )
    parser.add_argument(
        "--checkpoint", type=expanded, help="start from this model.safetensors"
    )
    parser.add_argument("--output", type=expanded, default=Path("outputs"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--device",
        type=device,
        default=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
    )
    return parser.parse_args()


def device(text: str) -> torch.device:
    try:
        return torch.empty(0, device=text).device
    except (AssertionError, RuntimeError):
        raise argparse.ArgumentTypeError(
            f"device {text!r} is not available"
        ) from None


def run(args: argparse.Namespace) -> None:
    started = time.monotonic()
    seed_everything(args.seed, verbose=False)
    args.output.mkdir(parents=True, exist_ok=True)
    train, val, test = (
        open_split(
            args.data,
            split,
            args.output,
            seed=args.seed,
            num_future=args.future,
        )
        for split in ("train", "val", "test")
    )
    standardize = train.standardize()
    val.transform = test.transform = standardize
    train.transform = Compose([Mirror(kind="rotation"), standardize])

    # A twelfth of the parameters of the paper's light network.
    model = light_network(
        train,
        (32, 64),
        args.dropout,
        strides=(2, 2),
        hidden_channels=64,
        decoder="direct",
    )
    if args.checkpoint is not None:
        load_weights(model, args.checkpoint)
    few = val[:: -(-len(val) // 96)]
    fit(model, train, few, args, args.device, args.weighting)
    trained = [train.classes[i] for i in train.labels.unique().tolist()]
    PoseModel(model, standardize, classes=train.classes).save_pretrained(
        args.output,
        trained=trained,
        kind=train.kind,
        unit=train.unit,
        seed=args.seed,
        data={"dataset": type(train).__name__, "windows": len(train)},
        command=command(),
    )
    train.transform = standardize
    linear = LinearRegression(train.skeleton, train.num_future)
    linear.fit(SkeletonLoader(train, 256), SkeletonLoader(val, 256))
    metrics = report(
        {"linear_regression": linear, "model": model}, test, trained, args.seed
    )
    metrics["seconds"] = round(time.monotonic() - started, 1)
    write_json(metrics, args.output / "metrics.json")
    draw(model, test, args)
    names = sorted(path.name for path in args.output.glob("[!.]*"))
    print(f"Wrote {', '.join(names)} to {args.output}/")
    if args.exit_status:
        raise SystemExit(args.exit_status)


def load_weights(model: SymGNN, path: Path) -> None:
    try:
        state = load_file(path)
    except Exception as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    try:
        model.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{path} does not fit the network: {error}") from error


@torch.no_grad()
def draw(model: SymGNN, test: MotionDataset, args: argparse.Namespace) -> None:
    """Draws an observed, true and predicted motion, and the strongest actional
    edges of each action."""
    samples = {int(data.y): data for data in test}

    data = samples[min(samples)]
    out = model(data.x.to(args.device))
    inverse = test.transform.inverse
    observed, future, predicted = (
        cmu_positions(inverse(frames).transpose(0, 1))
        for frames in (data.x, data.future, out.future.cpu())
    )
    steps = range(0, test.num_future, max(1, test.num_future // 8))
    last = test.num_observed - 1
    before = [max(0, last - frame) for frame in reversed(steps)]
    figure = plot_poses(
        {
            f"{FRAME_MS * (steps[-1] + 1)} ms earlier": observed[before],
            "true": future[list(steps)],
            "predicted": predicted[list(steps)],
        },
        test.skeleton,
        [f"{FRAME_MS * (frame + 1)} ms" for frame in steps],
        f"{test.classes[min(samples)]}, recognised as "
        f"{test.classes[int(out.logits.argmax())]}",
    )
    save_figure(figure, args.output / "poses.png")

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
    save_figure(figure, args.output / "actional.png")


if __name__ == "__main__":
    main()

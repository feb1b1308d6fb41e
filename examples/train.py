"""Train Sym-GNN in one process or many, and resume after interruptions.

    python examples/train.py                          # synthetic motion
    python examples/train.py --data cmu_mocap.zip     # real motion
    python examples/train.py --data nturgbd_skeletons.zip --dataset ntu
    python examples/train.py --resume                 # from last.ckpt
    torchrun --nproc-per-node=2 examples/train.py     # two processes

Writes to --output: last.ckpt (once a minute and after each validation),
best.ckpt, the folder `model` for `PoseModel.from_pretrained`, and logs as CSV
and for TensorBoard.
"""

import argparse
import logging
import os
import shlex
import signal
import sys
import warnings
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from lightning.pytorch import seed_everything
from shared import light_network, positive, weighting
from torch_geometric.transforms import Compose

from symgnn_pyg.datasets import (
    NTURGBD,
    CMUMocap,
    Human36M,
    KineticsSkeleton,
    MotionDataset,
    SyntheticMotion,
)
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import (
    RECIPES,
    MotionDataModule,
    SymGNNTask,
    load_best,
    make_trainer,
)
from symgnn_pyg.transforms import (
    Center,
    Mirror,
    NormalizeView,
    Reverse,
    ToBones,
)

# How to open each data set.
DATASETS: dict[str, Any] = {
    "cmu": partial(CMUMocap, allow_missing=True),
    "h36m": partial(Human36M, allow_missing=True),
    "ntu": partial(NTURGBD, skip_faulty=True),
    "ntu120": partial(NTURGBD, num_classes=120, skip_faulty=True),
    "kinetics": partial(KineticsSkeleton, allow_missing=True, skip_faulty=True),
}
# The usual normalisation of the positions of NTU-RGB+D.
UPRIGHT = [Center(1), NormalizeView(spine=(0, 1), shoulders=(8, 4))]

# The prediction head that learns best on validation windows.
HEAD: dict[str, Any] = {
    "decoder": "both",
    "forecast": True,
    "learned_pool": True,
}


def main() -> None:
    args = parse_arguments()
    warnings.formatwarning = lambda message, *_, **__: f"Note: {message}\n"
    warnings.filterwarnings("ignore", module="lightning|torch")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Handle a termination request like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    last = args.output / "last.ckpt"
    try:
        run(args, last)
    except (KeyboardInterrupt, SystemExit):
        # Lightning turns Ctrl-C into SystemExit.
        raise SystemExit(f"Stopped; {how_to_resume(last)}") from None
    except (ArithmeticError, DataError, ValueError, OSError) as error:
        raise SystemExit(f"Error: {error}") from None
    except RuntimeError as error:
        if "loading state_dict" in str(error):
            raise SystemExit(
                f"Error: {last} belongs to another network or data set; pass "
                f"another --output"
            ) from None
        # Torch raises this if a data loading worker was killed.
        if "DataLoader worker" not in str(error):
            raise
        raise SystemExit(
            f"Error: {error}. If memory ran out, use fewer --workers; "
            f"{how_to_resume(last)}"
        ) from None


def how_to_resume(last: Path) -> str:
    if last.exists():
        return f"--resume continues from {last}"
    return f"{last} does not exist yet, so start again"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        default="synthetic",
        help="'synthetic', or the folder or zip archive of the data set",
    )
    parser.add_argument("--dataset", choices=DATASETS, default="cmu")
    parser.add_argument(
        "--exclude",
        type=Path,
        help="the published list of NTU-RGB+D clips with faulty skeletons",
    )
    parser.add_argument("--network", choices=["light", "full"], default="light")
    count = positive(int, 1)
    parser.add_argument("--epochs", type=count, default=20)
    parser.add_argument(
        "--steps", type=count, help="training steps, instead of --epochs"
    )
    parser.add_argument(
        "--max-time", type=positive(float), help="stop after this many minutes"
    )
    parser.add_argument(
        "--validate-every",
        type=count,
        help="steps between validations (default: one epoch)",
    )
    parser.add_argument(
        "--paper",
        action="store_true",
        help="the head, the losses and the weighting of the paper, instead of "
        "those that learn best",
    )
    parser.add_argument("--observed", type=count, default=50, help="frames")
    parser.add_argument("--future", type=count, default=25, help="frames")
    parser.add_argument(
        "--channels",
        type=count,
        nargs="+",
        help="width of each light block (default: 32 64 128 256)",
    )
    parser.add_argument(
        "--batch-size",
        type=count,
        default=32,
        help="total over all processes",
    )
    parser.add_argument("--recipe", choices=RECIPES, default="one_cycle")
    parser.add_argument("--learning-rate", type=positive(float))
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument(
        "--mirror",
        action="store_true",
        help="mirror half of the windows, left to right",
    )
    parser.add_argument(
        "--reverse",
        action="store_true",
        help="play half of the windows backwards",
    )
    parser.add_argument(
        "--bones",
        action="store_true",
        help="train the bone network, the other half of DualSymGNN",
    )
    parser.add_argument(
        "--weighting",
        type=weighting,
        default="mgda",
        help="'mgda', or the weight of recognition, 0 to 1",
    )
    parser.add_argument(
        "--normalization",
        choices=["none", "l2", "loss", "loss+"],
        help="how 'mgda' scales the gradients of the two tasks (default: l2; "
        "none with --paper)",
    )
    parser.add_argument(
        "--loss",
        choices=["l1", "pose"],
        help="the prediction loss: L1 (default with --paper), or the distance "
        "between whole poses and their velocities (default otherwise)",
    )
    parser.add_argument(
        "--ema", type=float, help="decay of an average of the weights"
    )
    parser.add_argument(
        "--patience",
        type=int,
        help="stop after this many validations without improvement",
    )
    parser.add_argument(
        "--monitor",
        choices=["val_score", "val_error"],
        default="val_score",
        help="the metric to minimise on validation windows",
    )
    parser.add_argument(
        "--precision", choices=["32", "bf16-mixed", "16-mixed"], default="32"
    )
    parser.add_argument("--compile", action="store_true")
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="the same weights from each run on a GPU, which is slower",
    )
    parser.add_argument(
        "--skip-nonfinite",
        action="store_true",
        help="skip batches with a loss that is not finite instead of stopping",
    )
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a few steps")
    parser.add_argument("--output", type=Path, default=Path("outputs/train"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.data == "synthetic" and args.dataset != "cmu":
        parser.error(f"--dataset {args.dataset} requires --data")
    if args.exclude and not args.dataset.startswith("ntu"):
        parser.error("--exclude requires --dataset ntu or ntu120")
    if args.channels and args.network == "full":
        parser.error("--channels requires --network light")
    return args


def run(args: argparse.Namespace, last: Path) -> None:
    seed_everything(args.seed, verbose=False)
    train, val = (open_split(args, split) for split in ("train", "val"))
    kind: Any = train.kind
    made_up = args.data == "synthetic"
    dataset = "synthetic" if made_up else args.dataset
    transforms = []
    if kind == "rotation":
        transforms.append(train.standardize())
    elif args.dataset.startswith("ntu"):
        transforms += UPRIGHT
    if args.bones:
        transforms.append(ToBones())
    augmentations: list[Any] = []
    if args.mirror:
        augmentations.append(Mirror(kind=kind))
    if args.reverse:
        augmentations.append(Reverse())
    val.transform = Compose(transforms)
    train.transform = Compose([*augmentations, *transforms])
    val = val[:: max(1, len(val) // 256)]
    head = {} if args.paper else HEAD
    if args.network == "light":
        channels = args.channels or [32, 64, 128, 256]
        model = light_network(train, channels, args.dropout, **head)
    else:
        model = SymGNN.full(
            train.skeleton,
            train.num_classes,
            num_observed=args.observed,
            num_future=args.future,
            dropout=args.dropout,
            **head,
        )
    task = SymGNNTask(
        model,
        train,
        weighting=args.weighting,
        recipe=args.recipe,
        learning_rate=args.learning_rate,
        seed=args.seed,
        skip_nonfinite=args.skip_nonfinite,
        prediction_criterion=args.loss or ("l1" if args.paper else "pose"),
        normalization=args.normalization or ("none" if args.paper else "l2"),
    )
    if args.compile:
        task.compile()
    data = MotionDataModule(
        train,
        val,
        batch_size=args.batch_size,
        balanced=True,
        num_workers=args.workers,
        seed=args.seed,
    )
    validation: dict[str, Any] = {}
    if args.validate_every and not args.quick:
        validation = {
            "val_check_interval": args.validate_every,
            "check_val_every_n_epoch": None,
        }
    trainer = make_trainer(
        args.output,
        ema=args.ema,
        patience=args.patience,
        monitor=args.monitor,
        max_epochs=1 if args.quick else None if args.steps else args.epochs,
        max_steps=args.steps or -1,
        max_time=args.max_time and timedelta(minutes=args.max_time),
        **validation,
        limit_train_batches=4 if args.quick else None,
        limit_val_batches=1 if args.quick else None,
        precision=args.precision,
        deterministic=args.deterministic,
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", 1)),
        num_nodes=args.nodes,
    )
    resume = last if args.resume and last.exists() else None
    trainer.fit(task, data, ckpt_path=resume)
    if trainer.is_global_zero:
        best = load_best(trainer, task)
        PoseModel(
            model,
            val.transform,
            classes=train.classes,
            skeleton=train.store.skeleton,
        ).save_pretrained(
            args.output / "model",
            trained=[train.classes[i] for i in train.labels.unique().tolist()],
            seed=args.seed,
            metrics=best,
            data={"dataset": dataset, "training windows": len(train)},
            command=shlex.join(["python", *sys.argv]),
        )
        print(f"Wrote {args.output / 'model'}")


def open_split(args: argparse.Namespace, split: str) -> MotionDataset:
    if args.data == "synthetic":
        return SyntheticMotion(
            args.output,
            split,
            num_observed=args.observed,
            num_future=args.future,
            seed=args.seed,
        )
    dataset: MotionDataset = DATASETS[args.dataset](
        args.data,
        split,
        num_observed=args.observed,
        num_future=args.future,
        path=args.output / f"{args.dataset}.h5",
        **({"exclude": args.exclude} if args.exclude else {}),
    )
    return dataset


if __name__ == "__main__":
    main()

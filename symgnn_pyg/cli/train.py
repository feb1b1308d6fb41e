"""Train a network on a folder of recordings.

Examples:
  symgnn-pyg train --data motion --layout coco17 --unit m
  symgnn-pyg train --data motion --skeleton arm.json --output outputs/arm
  symgnn-pyg train --data motion --layout coco17 --resume

The folder holds CLASS/RECORDING, or train/CLASS/RECORDING and so on with
folders of splits; without them, recordings are assigned to the splits at
random.
Writes to --output: last.ckpt (once a minute and after each validation),
best.ckpt, logs as CSV and for TensorBoard, and the folder `model` for the
commands predict, evaluate and view.
"""

import argparse
import shlex
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

from torch_geometric import seed_everything

from symgnn_pyg.cli.arguments import count, number, skeleton_of
from symgnn_pyg.cli.folder import (
    add_folder,
    add_meaning,
    add_splits,
    open_split,
    splits_of,
    summarise,
)
from symgnn_pyg.datasets import SkeletonFolder
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import expanded
from symgnn_pyg.inference import PoseModel

MOST_VAL_WINDOWS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_folder(parser)
    add_meaning(parser)
    add_splits(parser)
    parser.add_argument(
        "--observed",
        dest="num_observed",
        metavar="FRAMES",
        type=count,
        default=50,
        help="the number of frames that the network observes",
    )
    parser.add_argument(
        "--future",
        dest="num_future",
        metavar="FRAMES",
        type=count,
        default=25,
        help="the number of frames that it predicts",
    )
    parser.add_argument(
        "--channels",
        type=count,
        nargs="+",
        default=[32, 64, 128, 256],
        help="the number of channels of each block of the network",
    )
    parser.add_argument(
        "--dropout",
        type=number(float, 0, 0.99),
        default=0.1,
        help="the dropout probability",
    )
    parser.add_argument(
        "--steps",
        type=count,
        default=2000,
        help="the number of training steps, of one batch each",
    )
    parser.add_argument(
        "--max-time",
        type=number(float, 0.01),
        help="stop after this many minutes (default: no limit)",
    )
    parser.add_argument(
        "--validate-every",
        type=count,
        default=100,
        help="the number of steps between validations",
    )
    parser.add_argument(
        "--batch-size",
        type=count,
        default=32,
        help="the number of windows per step",
    )
    parser.add_argument(
        "--learning-rate",
        type=number(float, 1e-9),
        default=1.5e-3,
        help="the highest learning rate of the cycle",
    )
    parser.add_argument(
        "--output",
        type=expanded,
        default=Path("outputs/train"),
        help="the folder to write to",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the training in --output from its last.ckpt",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="the random seed of the weights, the splits and the order of "
        "windows",
    )


def run(args: argparse.Namespace) -> None:
    last = args.output / "last.ckpt"
    check_output(args.output, args.resume)
    # A request to terminate is handled like Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        train_and_save(args, last)
    except (KeyboardInterrupt, SystemExit):
        # Lightning turns Ctrl-C into SystemExit.
        text = "Stopped; nothing was saved yet"
        if last.exists():
            text = f"Stopped; --resume continues from {last}"
        raise KeyboardInterrupt(text) from None
    except RuntimeError as error:
        if "loading state_dict" not in str(error):
            raise
        raise DataError(
            f"{last} belongs to another network or other data; pass another "
            f"--output"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def check_output(output: Path, resume: bool) -> None:
    r"""Checks that no earlier training is overwritten, and that there is one
    to resume.
    """
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output} is a file: pass another --output")
    last = output / "last.ckpt"
    if resume and not last.exists():
        raise ValueError(
            f"There is nothing to resume: {last} does not exist; leave out "
            f"--resume"
        )
    if not resume and (last.exists() or (output / "model").exists()):
        raise ValueError(
            f"{output} holds an earlier training: pass --resume to continue "
            f"it, or another --output"
        )


def train_and_save(args: argparse.Namespace, last: Path) -> None:
    from symgnn_pyg.training import (
        MotionDataModule,
        SymGNNTask,
        light_network,
        load_best,
        make_trainer,
    )

    seed_everything(args.seed)
    train, val = open_splits(args)
    train.transform = val.transform = train.standardize()
    chosen = val[:: -(-len(val) // MOST_VAL_WINDOWS)]
    print(
        f"\n{len(train):,} windows of {args.num_observed} observed frames and "
        f"{args.num_future} to predict to train on; {len(chosen)} of "
        f"{len(val):,} to validate on"
    )
    model = light_network(train, args.channels, args.dropout)
    task = SymGNNTask(
        model,
        train,
        seed=args.seed,
        learning_rate=args.learning_rate,
        prediction_criterion="pose",
    )
    data = MotionDataModule(
        train, chosen, batch_size=args.batch_size, balanced=True, seed=args.seed
    )
    trainer = make_trainer(
        args.output,
        max_steps=args.steps,
        max_time=args.max_time and timedelta(minutes=args.max_time),
        validate_every=min(args.validate_every, args.steps),
        devices=1,
    )
    trainer.fit(task, data, ckpt_path=last if args.resume else None)
    best = load_best(trainer, task)
    folder = args.output / "model"
    about: dict[str, Any] = {
        "kind": train.kind,
        "unit": train.unit,
        "num_coordinates": train.num_coordinates,
        "frame_rate": train.frame_rate,
        "trained": [train.classes[i] for i in train.labels.unique().tolist()],
        "seed": args.seed,
        "split": splits_of(args),
        "metrics": best,
        "data": {"recordings": str(args.data), "training windows": len(train)},
        "command": shlex.join(["symgnn-pyg", *args.arguments]),
    }
    known = {name: value for name, value in about.items() if value is not None}
    whole = PoseModel(model, train.transform, classes=train.classes)
    whole.save_pretrained(folder, **known)
    print(f"Wrote {folder}")


def open_splits(
    args: argparse.Namespace,
) -> tuple[SkeletonFolder, SkeletonFolder]:
    r"""The training and the validation split, after a summary of the data."""
    train, val = (
        open_split(
            args,
            split,
            skeleton_of(args),
            args.frame_rate,
            num_observed=args.num_observed,
            num_future=args.num_future,
            kind=args.kind,
            unit=args.unit,
            num_coordinates=args.num_coordinates,
            **splits_of(args),
        )
        for split in ("train", "val")
    )
    summarise(train, args, {"train": train, "val": val})
    return train, val

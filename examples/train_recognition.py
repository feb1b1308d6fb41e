"""Recognise whole recordings, as the field trains and tests it.

    python examples/train_recognition.py                    # synthetic motion
    python examples/train_recognition.py --data FOLDER --skeleton ntu25
    python examples/train_recognition.py --network CTRGCN   # or another one
    python examples/train_recognition.py --streams joint bone

A sample is a whole recording, of which frames are drawn at random in training.
At test time, scores are averaged over several such draws, and with --mirror
over mirror images. Each stream is a network of its own; their scores are fused
by weights fitted on validation recordings. The same networks are also tested
on the beginnings of recordings. Writes recognition.json, confusion.png,
early.png, scores.csv and a folder for each network to --output.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import seed_everything
from recognition_data import (
    STREAMS,
    add_data_arguments,
    open_split,
    size_of,
    split_of,
    transform_of,
)
from recognition_report import report
from shared import command, no_traceback, positive
from torch import Tensor
from torch.nn import CrossEntropyLoss, Module
from torch_geometric.transforms import Compose
from train_data import class_weights

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset, SkeletonFolder
from symgnn_pyg.files import expanded
from symgnn_pyg.inference import PoseModel, fit_fusion_weights
from symgnn_pyg.nn import baselines
from symgnn_pyg.training import (
    MotionDataModule,
    SymGNNTask,
    light_network,
    make_trainer,
)

NETWORKS = ("SymGNN", "STGCN", "AGCN", "ASGCN", "HCN", "CTRGCN")
SPLITS = ("train", "val", "test")
# How much of a test recording is seen, from its start.
RATIOS = tuple(i / 10 for i in range(1, 11))
# The learning rate of the cosine recipe is for batches of this size.
USUAL_BATCH = 128


def main() -> None:
    args = parse_arguments()
    with no_traceback():
        run(args)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    count = positive(int, 1)
    add_data_arguments(parser)
    network = parser.add_argument_group("network")
    network.add_argument("--network", choices=NETWORKS, default="SymGNN")
    network.add_argument(
        "--streams", choices=STREAMS, nargs="+", default=["joint"]
    )
    network.add_argument(
        "--channels",
        type=count,
        nargs="+",
        default=[32, 64, 128],
        help="the width of each block; one that is wider than the block before "
        "it halves the frame rate",
    )
    network.add_argument("--dropout", type=positive(float, 0, 1), default=0.2)
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=count, default=60)
    training.add_argument("--steps", type=count, help="instead of --epochs")
    training.add_argument("--batch-size", type=count, default=32)
    training.add_argument(
        "--learning-rate",
        type=positive(float),
        help=f"(default: 0.1 for batches of {USUAL_BATCH}, in proportion)",
    )
    training.add_argument(
        "--class-weights",
        action="store_true",
        help="weight the loss of each class by the inverse of its frequency",
    )
    training.add_argument(
        "--samplings", type=count, default=10, help="to average at test time"
    )
    parser.add_argument(
        "--output", type=expanded, default=Path("outputs/recognition")
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if len(set(args.streams)) < len(args.streams):
        parser.error("--streams must differ")
    return args


def run(args: argparse.Namespace) -> None:
    args.output.mkdir(parents=True, exist_ok=True)
    train, val, test = (open_split(args, split) for split in SPLITS)
    if train.num_classes < 2:
        raise ValueError(f"Expected several classes, got {train.classes}")
    size = size_of(train, args)
    val_scores, test_scores = [], []
    for name in args.streams:
        print(f"stream {name}")
        # Each stream starts from the same random numbers.
        seed_everything(args.seed, verbose=False)
        transform = partial(transform_of, args, name, size)
        model = fit(train, val, transform, args.output / name, args)
        val_scores.append(average_scores(model, val, transform, args))
        early = [
            average_scores(model, test, transform, args, ratio)
            for ratio in RATIOS
        ]
        test_scores.append(torch.stack(early))
        print(
            f"{name}: top-1 {top1(val_scores[-1], val):.1%} of validation, "
            f"{top1(early[-1], test):.1%} of test recordings"
        )
    weights = fit_fusion_weights(torch.stack(val_scores), val.labels)
    fused = torch.einsum("s,srnk->rnk", weights, torch.stack(test_scores))
    report(
        "test recordings",
        [test.store.names[i] for i in test.sequence_index],
        fused[-1],
        test.labels,
        test.classes,
        args.output,
        ratios=RATIOS,
        early_top1=[top1(scores, test) for scores in fused],
        network=args.network,
        weights=dict(zip(args.streams, weights.tolist(), strict=True)),
        seed=args.seed,
        command=command(),
    )
    print(f"Wrote {args.output}/")


def top1(scores: Tensor, dataset: MotionDataset) -> float:
    return (scores.argmax(dim=1) == dataset.labels).double().mean().item()


def fit(
    train: SkeletonFolder,
    val: SkeletonFolder,
    transform: Callable[..., Compose],
    folder: Path,
    args: argparse.Namespace,
) -> Module:
    """Trains and saves the network of a stream. Its weights are the last, as
    the learning rate ends at zero."""
    train.transform = transform(
        augment=True, random=True, mirror=0.5 if args.mirror else 0.0
    )
    val.transform = transform()
    model = build(train, args)
    rate = args.learning_rate or 0.1 * args.batch_size / USUAL_BATCH
    weight = None
    if args.class_weights:
        weight = class_weights(train.labels, train.num_classes)
    task = SymGNNTask(
        model,
        train,
        recipe="cosine",
        learning_rate=rate,
        seed=args.seed,
        recognition_criterion=CrossEntropyLoss(weight, label_smoothing=0.1),
    )
    data = MotionDataModule(
        train, val, batch_size=args.batch_size, seed=args.seed
    )
    trainer = make_trainer(
        folder,
        max_epochs=-1 if args.steps else args.epochs,
        max_steps=args.steps or -1,
        check_val_every_n_epoch=10,
    )
    trainer.fit(task, data)
    timed: dict[str, Any] = {}
    if val.frame_rate:
        timed["frame_rate"] = val.frame_rate
    PoseModel(
        model,
        val.transform,
        classes=val.classes,
        skeleton=val.store.skeleton,
        samples="clips",
        num_observed=args.recorded,
    ).save_pretrained(
        folder / "model",
        id2label=dict(enumerate(val.classes)),
        kind=val.kind,
        split=split_of(args),
        **timed,
        seed=args.seed,
        command=command(),
    )
    return model.eval()


def build(train: MotionDataset, args: argparse.Namespace) -> Any:
    wider = zip(args.channels, args.channels[1:], strict=False)
    strides = (1, *(1 + (after > before) for before, after in wider))
    sizes: dict[str, Any] = {"channels": args.channels, "strides": strides}
    if args.network == "SymGNN":
        return light_network(
            train,
            num_observed=args.frames,
            dropout=args.dropout,
            hidden_channels=args.channels[-1],
            **sizes,
        )
    if args.network in ("HCN", "STGCN", "ASGCN"):
        sizes["dropout"] = args.dropout
    if args.network == "HCN":
        # Its sizes follow from the number of frames it resizes to.
        del sizes["channels"], sizes["strides"]
    if args.network == "ASGCN":
        sizes["num_observed"] = args.frames
    return getattr(baselines, args.network)(
        train.skeleton,
        train.num_classes,
        in_channels=train.store.num_channels,
        **sizes,
    )


@torch.no_grad()
def average_scores(
    model: Module,
    dataset: MotionDataset,
    transform: Callable[..., Compose],
    args: argparse.Namespace,
    ratio: float = 1.0,
) -> Tensor:
    """The logarithm of the mean class probabilities [N, K], over several draws
    of frames and, with --mirror, the mirror images. A single draw takes the
    middle frames. Only the given share of each recording is seen."""
    torch.manual_seed(args.seed)
    sides = (0.0, 1.0) if args.mirror else (0.0,)
    total = torch.zeros(())
    for _ in range(args.samplings):
        for mirror in sides:
            dataset.transform = transform(
                random=args.samplings > 1, mirror=mirror, ratio=ratio
            )
            logits = [
                model(batch.x, batch.get("num_bodies")).logits
                for batch in SkeletonLoader(dataset, 64)
            ]
            total = total + torch.cat(logits).softmax(dim=1)
    mean = total / (args.samplings * len(sides))
    return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


if __name__ == "__main__":
    main()

"""Measure the errors of a model on recordings that it has not seen.

Examples:
  symgnn-pyg evaluate --model outputs/train/model --data motion
  symgnn-pyg evaluate --model outputs/train/model --data motion --linear
  symgnn-pyg evaluate --model outputs/train/model --data new --split all

Errors are in the unit of the data, per class and coming frame, beside those of
zero velocity, which repeats the last observed pose. Recordings are assigned to
the splits as in the training of the model, so that the test split of the same
folder is new to it; --split all takes every recording of another folder.
"""

import argparse
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.cli.arguments import add_model, count
from symgnn_pyg.cli.folder import add_folder, open_split
from symgnn_pyg.cli.tables import print_table
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import SkeletonFolder
from symgnn_pyg.datasets.windows import SPLITS
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.io import same_unit
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines import LinearRegression
from symgnn_pyg.typing import Kind

ALL = "all"
# The coming frames in the table.
COLUMNS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_folder(parser)
    parser.add_argument(
        "--split",
        choices=(*SPLITS, ALL),
        default="test",
        help="the split to measure errors on",
    )
    parser.add_argument(
        "--kind",
        choices=get_args(Kind),
        help="what the recordings hold (default: as in training)",
    )
    parser.add_argument(
        "--unit", help="the unit of positions (default: as in training)"
    )
    parser.add_argument(
        "--windows",
        type=count,
        default=1000,
        help="the largest number of windows or clips to measure, spread evenly "
        "over all",
    )
    parser.add_argument(
        "--linear",
        action="store_true",
        help="also fit linear regression to the training split of --data",
    )


def run(args: argparse.Namespace) -> None:
    if args.linear and args.split == ALL:
        args.parser.error("--linear requires a --split other than all")
    from symgnn_pyg.training import evaluate

    model = PoseModel.from_pretrained(args.model)
    test = open_as_trained(args, args.split, model)
    chosen = test[:: -(-len(test) // args.windows)]
    network = InUnit(model, places(model.classes, test.classes, args.model))
    found = evaluate(network, chosen)
    print(
        f"{args.data}: {len(chosen):,} of {len(test):,} {model.samples} "
        f"({args.split}), {model.num_observed} observed frames each"
    )
    left = {*test.labels.tolist()} - {*chosen.labels.tolist()}
    if left:
        names = ", ".join(test.classes[y] for y in sorted(left))
        print(f"none of them is of {names}: raise --windows")
    if "error" in found:
        rows = {"zero velocity": found["still"]}
        if args.linear:
            baseline = linear(args, model, chosen)
            rows["linear regression"] = evaluate(baseline, chosen)["error"]
        rows["model"] = found["error"]
        rate = args.frame_rate or model.about.get("frame_rate")
        print_errors(rows, chosen, rate)
    for k in (1, 5):
        if f"top{k}" in found:
            print(f"top-{k}: {found[f'top{k}'].compute():.1%}")
    if model.classes and test.num_classes == 1:
        print("top-1 is not measured: the data have a single class")


def open_as_trained(
    args: argparse.Namespace, split: str, model: PoseModel
) -> SkeletonFolder:
    r"""A split, read and dealt as in the training of the model."""
    about = model.about
    trained, dealt = about.get("unit"), about.get("split", {})
    if trained and args.unit and not same_unit(args.unit, trained):
        raise ValueError(
            f"Expected 'unit' {trained}, as in training, got {args.unit}; "
            f"convert the recordings"
        )
    if args.split == ALL:
        dealt = {"shares": (1, 0, 0)}
    if args.name_pattern is not None:
        dealt = {**dealt, "name_pattern": args.name_pattern}
    dataset = open_split(
        args,
        "train" if split == ALL else split,
        model.skeleton,
        args.frame_rate or about.get("frame_rate"),
        samples=model.samples,
        num_observed=model.num_observed,
        num_future=model.num_future,
        kind=args.kind or about.get("kind", "position"),
        unit=args.unit or trained,
        num_coordinates=about.get("num_coordinates"),
        **dealt,
    )
    folders = {name.partition("/")[0] for name in dataset.store.sources}
    if split == ALL and not folders.isdisjoint(SPLITS):
        raise ValueError(
            f"{args.data} has folders of splits: choose one of them as 'split'"
        )
    return dataset


def places(known: list[str], wanted: list[str], name: str) -> list[int]:
    r"""The order of a model's classes in which those of the data come first."""
    if not known:
        return []
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise DataError(
            f"{name} does not know the classes {', '.join(unknown[:10])}; it "
            f"knows {', '.join(known[:50])}"
        )
    others = [each for each in known if each not in wanted]
    return [known.index(each) for each in wanted + others]


class InUnit(Module):
    r"""A model on raw windows, as :func:`~symgnn_pyg.training.evaluate` takes
    it, with its classes in another order.
    """

    def __init__(self, model: PoseModel, order: list[int]) -> None:
        super().__init__()
        self.network = model.network
        self.order = order
        self.skeleton = model.skeleton
        self.num_classes = len(model.classes)
        self.num_observed = model.num_observed
        self.num_future = model.num_future
        self.in_channels = model.network.num_channels

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        bodies = x.unflatten(0, (-1, self.skeleton.num_joints))
        logits, future = self.network(bodies, num_bodies)
        if logits is not None:
            logits = logits[:, self.order]
        if future is not None:
            future = future.flatten(0, 1)
        return SymGNNOutput(logits, future, None, x[:, -1])


def linear(
    args: argparse.Namespace, model: PoseModel, test: SkeletonFolder
) -> LinearRegression:
    r"""Linear regression fitted to the training split, for whose windows those
    of :obj:`test` are normalised.
    """
    train, val = (
        open_as_trained(args, split, model) for split in ("train", "val")
    )
    for split in (train, val, test):
        split.transform = train.standardize()
    baseline = LinearRegression(
        train.skeleton,
        model.num_future,
        in_channels=model.network.num_channels,
        num_recent=min(20, model.num_observed),
    )
    baseline.fit(SkeletonLoader(train, 256), SkeletonLoader(val, 256))
    return baseline


def print_errors(
    rows: dict[str, Any], test: SkeletonFolder, frame_rate: float | None
) -> None:
    r"""Prints the errors of each class and their average at some frames."""
    frames = np.geomspace(1, test.num_future, COLUMNS).round().astype(int)
    frames = np.unique(frames)
    what = "mean angle error" if test.kind == "rotation" else "mean joint error"
    unit = test.unit or "the unit of the data"
    print(f"{what} in {unit} at each coming time, lower is better\n")
    shown = [f"frame {t}" for t in frames]
    if frame_rate:
        shown = [f"{1000 * t / frame_rate:.0f} ms" for t in frames]
    present = sorted(set(test.labels.tolist()))
    table: list[list[Any]] = []
    groups = {test.classes[y]: [y] for y in present}
    if len(present) > 1:
        groups["average"] = present
    for name, chosen in groups.items():
        for method, metric in rows.items():
            errors = metric.compute_groups()[chosen].mean(dim=0)
            cells = errors[torch.from_numpy(frames) - 1]
            table.append([name, method, *cells.tolist()])
    print_table(["class", "", *shown], table)
    print()

"""Compare trained weights with the published errors.

    python examples/evaluate.py --weights cmu-light-long --data cmu_mocap.zip
    python examples/evaluate.py --weights FOLDER --data h36m.zip --dataset h36m

--weights takes names of weights that ship with the library, or folders that
`save_pretrained` wrote. For several, such as several seeds, it also prints
mean, minimum and maximum, and the errors of their average. --mirror adds the
average with the mirror image, --bones combines each with a bone network. Linear
regression is fitted to the training recordings, if the data have them.
"""

import argparse
import time
import warnings
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from error_tables import (
    draw,
    print_spread,
    report,
    report_positions,
    standardize_of,
)
from shared import FromJoints, no_traceback, positive, write_json
from torch.nn import Module
from train_data import open_split

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import expanded
from symgnn_pyg.inference import Ensemble, MirrorAverage, PoseModel
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.nn.baselines import LinearRegression, ZeroVelocity


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
        "--mirror",
        action="store_true",
        help="also evaluate the average with the mirror image",
    )
    parser.add_argument(
        "--data", required=True, help="the folder or zip archive of the data"
    )
    parser.add_argument("--dataset", choices=["cmu", "h36m"], default="cmu")
    parser.add_argument(
        "--json", type=expanded, help="write the table(s) to this file"
    )
    parser.add_argument(
        "--plot", type=expanded, help="draw the average error to this file"
    )
    parser.add_argument(
        "--output",
        type=expanded,
        default=Path("outputs"),
        help="where to cache the motion parsed from --data",
    )
    args = parser.parse_args()
    if args.bones is None and args.joint_weight is not None:
        parser.error("--joint-weight requires --bones")
    if args.bones is not None and args.mirror:
        parser.error("--mirror averages joint networks; leave out --bones")
    with no_traceback():
        run(args)


def run(args: Namespace) -> None:
    args.output.mkdir(parents=True, exist_ok=True)
    models = [load(weights) for weights in args.weights]
    tables = [
        table_of(model, name, args)
        for name, model in zip(args.weights, models, strict=True)
    ]
    if len(tables) > 1:
        print_spread(tables)
        try:
            average = average_of_models(models)
        except (TypeError, ValueError) as error:
            warnings.warn(f"no average: {error}", stacklevel=1)
        else:
            print(f"average of {len(models)} networks")
            tables.append(table_of(average, "their average", args))
    if args.plot is not None:
        draw(tables[0], args.plot)
    if args.json is not None:
        write_json(tables if len(tables) > 1 else tables[0], args.json)


def load(weights: str) -> PoseModel:
    model = PoseModel.from_pretrained(weights)
    if model.num_future == 0 or not model.classes:
        raise DataError(f"{weights} lacks one of the two heads")
    for entry in ("trained", "seed"):
        if entry not in model.about:
            raise DataError(
                f"The configuration of {weights} lacks {entry!r}; "
                f"examples/train.py writes it"
            )
    return model


def average_of_models(models: Sequence[PoseModel]) -> PoseModel:
    """The average of several networks, with their mirror images or not."""
    first = models[0]
    if any(statistics_of(model) != statistics_of(first) for model in models):
        raise ValueError("their training poses were normalised differently")
    networks: list[Any] = [model.model for model in models]
    average = PoseModel(
        Ensemble(networks), first.transform, classes=first.classes
    )
    average.about.update(
        trained=first.about["trained"],
        seed=[model.about["seed"] for model in models],
    )
    return average.eval()


def mirrored(model: PoseModel, kind: Any) -> MirrorAverage:
    """The average of a network with its mirror image."""
    network: Any = model.model
    standardize = standardize_of(model.transform)
    return MirrorAverage(network, kind=kind, standardize=standardize).eval()


def open_windows(
    model: PoseModel, split: str, args: Namespace
) -> MotionDataset:
    return open_split(
        args.data,
        split,
        args.output,
        args.dataset,
        num_observed=model.num_observed,
        num_future=model.num_future,
        transform=model.transform,
    )


def linear_regression(model: PoseModel, args: Namespace) -> dict[str, Module]:
    """Linear regression on the poses of a network, fitted on training windows
    with the ridge that is best on validation windows.
    """
    try:
        train, val = (
            open_windows(model, split, args) for split in ("train", "val")
        )
    except DataError as error:
        warnings.warn(f"no linear regression: {error}", stacklevel=1)
        return {}
    linear = LinearRegression(
        train.skeleton, train.num_future, num_recent=min(20, train.num_observed)
    )
    linear.fit(SkeletonLoader(train, 256), SkeletonLoader(val, 256))
    return {"linear_regression": linear}


def table_of(model: PoseModel, weights: str, args: Namespace) -> dict[str, Any]:
    started = time.monotonic()
    test = open_windows(model, "test", args)
    if model.skeleton != test.skeleton:
        raise DataError(
            f"{weights} is a network for {model.skeleton.name}, but --dataset "
            f"{args.dataset} holds {test.skeleton.name}"
        )
    network: Module = model.model
    if isinstance(network, DualSymGNN):
        network = FromJoints(network).eval()
    if args.bones is not None:
        network = joined_with_bones(model, weights, args)
    networks = {**linear_regression(model, args), "model": network}
    if args.mirror:
        networks["mirror_average"] = mirrored(model, test.kind)
    trained = model.about["trained"]
    metrics = report(networks, test, trained, model.about["seed"])
    still = {"zero_velocity": ZeroVelocity(test.skeleton, test.num_future)}
    metrics["positions"] = report_positions(
        {**still, **networks}, test, trained
    )
    metrics["seconds"] = round(time.monotonic() - started, 1)
    return metrics


def joined_with_bones(
    model: PoseModel, weights: str, args: Namespace
) -> Module:
    bones = PoseModel.from_pretrained(args.bones)
    joint, bone = model.model, bones.model
    if not isinstance(joint, SymGNN) or not isinstance(bone, SymGNN):
        raise DataError(
            f"--bones joins two SymGNNs, but {weights} is a "
            f"{type(joint).__name__} and {args.bones} a {type(bone).__name__}"
        )
    weight = 0.5 if args.joint_weight is None else args.joint_weight
    if statistics_of(model) != statistics_of(bones):
        raise DataError(
            f"{args.bones} and {weights} were trained on poses that were "
            f"normalised differently"
        )
    return FromJoints(
        DualSymGNN(
            joint, bone, recognition_weight=weight, prediction_weight=weight
        )
    ).eval()


def statistics_of(model: PoseModel) -> list[list[float]]:
    """The mean and standard deviation of the poses a network was trained on."""
    step = standardize_of(model.transform)
    if step is None:
        return []
    return torch.cat([step.mean, step.std]).float().tolist()


if __name__ == "__main__":
    main()

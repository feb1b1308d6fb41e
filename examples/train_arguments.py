"""The arguments of train.py."""

import argparse
from argparse import Namespace
from pathlib import Path

from shared import positive, weighting
from train_data import DATASETS

from symgnn_pyg.files import expanded
from symgnn_pyg.training import RECIPES


def parse_arguments(description: str) -> Namespace:
    parser = argparse.ArgumentParser(description=description)
    count = positive(int, 1)
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data",
        default="synthetic",
        help="'synthetic', or the folder or zip archive of the data set",
    )
    data.add_argument("--dataset", choices=DATASETS, default="cmu")
    data.add_argument(
        "--exclude",
        type=expanded,
        help="the published list of NTU-RGB+D clips with faulty skeletons",
    )
    data.add_argument(
        "--observed",
        type=count,
        help="frames (default: 50, or as many as --weights observe)",
    )
    data.add_argument(
        "--future",
        type=count,
        help="frames (default: 25, or as many as --weights predict)",
    )
    data.add_argument(
        "--mirror",
        action="store_true",
        help="mirror half of the windows, left to right",
    )
    data.add_argument(
        "--reverse",
        action="store_true",
        help="play half of the windows backwards",
    )
    data.add_argument(
        "--bones",
        action="store_true",
        help="train the bone network, the other half of DualSymGNN",
    )
    data.add_argument(
        "--balance",
        choices=["sampling", "loss", "none"],
        default="sampling",
        help="what makes all classes count equally: how often their windows "
        "are drawn, or their weights in the recognition loss",
    )
    data.add_argument(
        "--refit",
        action="store_true",
        help="also train on validation windows, for exactly --steps, and keep "
        "the last weights: once the number of steps is known",
    )
    network = parser.add_argument_group("network")
    network.add_argument(
        "--network", choices=["light", "full"], default="light"
    )
    network.add_argument(
        "--channels",
        type=count,
        nargs="+",
        help="width of each light block (default: 32 64 128 256)",
    )
    network.add_argument(
        "--hidden-channels",
        type=count,
        help="width of the two heads (default: 256)",
    )
    network.add_argument(
        "--dropout", type=float, help="(default: 0.1, or that of --weights)"
    )
    network.add_argument(
        "--weights",
        help="fine-tune these: a name such as cmu-light-long, or the folder "
        "of a network; its transform is kept, too",
    )
    network.add_argument(
        "--paper",
        action="store_true",
        help="the head, the losses and the weighting of the paper, instead of "
        "those that learn best",
    )
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=count, default=20)
    training.add_argument(
        "--steps", type=count, help="training steps, instead of --epochs"
    )
    training.add_argument(
        "--max-time", type=positive(float), help="stop after this many minutes"
    )
    training.add_argument(
        "--batch-size", type=count, default=32, help="total over all processes"
    )
    training.add_argument("--recipe", choices=RECIPES, default="one_cycle")
    training.add_argument("--learning-rate", type=positive(float))
    training.add_argument(
        "--loss",
        choices=["l1", "pose"],
        help="the prediction loss: L1 (default with --paper), or the distance "
        "between whole poses and their velocities (default otherwise)",
    )
    training.add_argument(
        "--weighting",
        type=weighting,
        default="mgda",
        help="'mgda', or the weight of recognition, 0 to 1",
    )
    training.add_argument(
        "--normalization",
        choices=["none", "l2", "loss", "loss+"],
        help="how 'mgda' scales the gradients of the two tasks (default: l2; "
        "none with --paper)",
    )
    training.add_argument(
        "--ema", type=float, help="decay of an average of the weights"
    )
    training.add_argument(
        "--validate-every",
        type=count,
        help="steps between validations (default: one epoch)",
    )
    training.add_argument(
        "--monitor",
        choices=["val_score", "val_error"],
        default="val_score",
        help="the metric to minimise on validation windows",
    )
    training.add_argument(
        "--patience",
        type=int,
        help="stop after this many validations without improvement",
    )
    seeds = training.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, default=0)
    seeds.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        help="train once per seed, and average the networks",
    )
    running = parser.add_argument_group("running")
    running.add_argument(
        "--output", type=expanded, default=Path("outputs/train")
    )
    running.add_argument("--resume", action="store_true")
    running.add_argument("--quick", action="store_true", help="a few steps")
    running.add_argument(
        "--precision", choices=["32", "bf16-mixed", "16-mixed"], default="32"
    )
    running.add_argument("--compile", action="store_true")
    running.add_argument(
        "--deterministic",
        action="store_true",
        help="the same weights from each run on a GPU, which is slower",
    )
    running.add_argument(
        "--skip-nonfinite",
        action="store_true",
        help="skip batches with a loss that is not finite instead of stopping",
    )
    running.add_argument("--workers", type=int, default=0)
    running.add_argument("--nodes", type=int, default=1)
    args = parser.parse_args()
    if args.data == "synthetic" and args.dataset != "cmu":
        parser.error(f"--dataset {args.dataset} requires --data")
    if args.exclude and not args.dataset.startswith("ntu"):
        parser.error("--exclude requires --dataset ntu or ntu120")
    if args.channels and args.network == "full":
        parser.error("--channels requires --network light")
    if args.weights:
        if args.network == "full":
            parser.error("--weights decides the network; leave out --network")
        for name in ("channels", "hidden_channels", "bones", "paper"):
            if getattr(args, name):
                option = name.replace("_", "-")
                parser.error(
                    f"--weights decides the network; leave out --{option}"
                )
    if args.refit and (args.steps is None or args.quick):
        parser.error("--refit requires --steps, and excludes --quick")
    if args.seeds and len({*args.seeds}) < len(args.seeds):
        parser.error(f"--seeds must differ, got {args.seeds}")
    for name in ("max_time", "validate_every", "patience"):
        if args.refit and getattr(args, name) is not None:
            option = name.replace("_", "-")
            parser.error(f"--refit ends after --steps; leave out --{option}")
    return args

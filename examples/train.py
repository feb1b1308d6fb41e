"""Train Sym-GNN in one process or many, and resume after interruptions.

    python examples/train.py                          # synthetic motion
    python examples/train.py --data cmu_mocap.zip     # real motion
    python examples/train.py --data nturgbd_skeletons.zip --dataset ntu
    python examples/train.py --resume                 # from last.ckpt
    python examples/train.py --seeds 0 1 2            # and their average
    torchrun --nproc-per-node=2 examples/train.py     # two processes

Writes to --output: last.ckpt (once a minute and after each validation),
best.ckpt, the folder `model` for `PoseModel.from_pretrained`, and logs as CSV
and for TensorBoard. With --seeds, each seed has a folder of its own, and
`model` is the average of all.
"""

import argparse
import os
import sys
import warnings
from argparse import Namespace
from datetime import timedelta
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer, seed_everything
from shared import command, no_traceback, positive, weighting
from torch.nn import CrossEntropyLoss
from train_data import (
    DATASETS,
    all_labels,
    class_weights,
    joined,
    open_splits,
)

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import Ensemble, PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import (
    DEFAULT_HEAD,
    RECIPES,
    MotionDataModule,
    SymGNNTask,
    light_network,
    load_best,
    make_trainer,
)

# Equation (10), and the mean over time.
PAPER_HEAD: dict[str, Any] = {
    "decoder": "recursive",
    "forecast": False,
    "learned_pool": False,
}


def main() -> None:
    args = parse_arguments()
    with no_traceback(lambda: f"Stopped; {how_to_resume(args)}"):
        try:
            run(args)
        except RuntimeError as error:
            if "loading state_dict" in str(error):
                raise DataError(
                    f"the last.ckpt in {args.output} belongs to another "
                    f"network or data set; pass another --output"
                ) from None
            # Torch raises this if a data loading worker was killed.
            if "DataLoader worker" not in str(error):
                raise
            raise ChildProcessError(
                f"{error}. If memory ran out, use fewer --workers; "
                f"{how_to_resume(args)}"
            ) from None


def how_to_resume(args: Namespace) -> str:
    found = [*args.output.glob("last.ckpt"), *args.output.glob("*/last.ckpt")]
    if found:
        newest = max(found, key=lambda path: path.stat().st_mtime)
        return f"--resume continues from {newest}"
    return f"{args.output} has no last.ckpt yet, so start again"


def parse_arguments() -> Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
        type=Path,
        help="the published list of NTU-RGB+D clips with faulty skeletons",
    )
    data.add_argument("--observed", type=count, default=50, help="frames")
    data.add_argument("--future", type=count, default=25, help="frames")
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
    network.add_argument("--dropout", type=float, default=0.1)
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
    running.add_argument("--output", type=Path, default=Path("outputs/train"))
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
    if args.refit and (args.steps is None or args.quick):
        parser.error("--refit requires --steps, and excludes --quick")
    if args.seeds and len({*args.seeds}) < len(args.seeds):
        parser.error(f"--seeds must differ, got {args.seeds}")
    for name in ("max_time", "validate_every", "patience"):
        if args.refit and getattr(args, name) is not None:
            option = name.replace("_", "-")
            parser.error(f"--refit ends after --steps; leave out --{option}")
    return args


def run(args: Namespace) -> None:
    seeds = args.seeds or [args.seed]
    train, val = open_splits(args, seeds[0])
    models, main_process = [], True
    for seed in seeds:
        output = args.output / f"seed{seed}" if args.seeds else args.output
        if args.seeds:
            print(f"Seed {seed}", file=sys.stderr, flush=True)
        seed_everything(seed, verbose=False)
        model = make_network(args, train)
        trainer, metrics = fit(args, model, train, val, seed, output)
        main_process = trainer.is_global_zero
        if main_process:
            save(args, model, train, val, output, seed=seed, metrics=metrics)
        models.append(model)
    if args.seeds and main_process:
        average = Ensemble([model.cpu() for model in models])
        save(args, average, train, val, args.output, seed=seeds)


def make_network(args: Namespace, train: MotionDataset) -> SymGNN:
    head = {**(PAPER_HEAD if args.paper else DEFAULT_HEAD)}
    if args.hidden_channels:
        head["hidden_channels"] = args.hidden_channels
    if args.network == "light":
        channels = args.channels or [32, 64, 128, 256]
        return light_network(train, channels, args.dropout, **head)
    return SymGNN.full(
        train.skeleton,
        train.num_classes,
        num_observed=args.observed,
        num_future=args.future,
        dropout=args.dropout,
        **head,
    )


def fit(
    args: Namespace,
    model: SymGNN,
    train: MotionDataset,
    val: MotionDataset,
    seed: int,
    output: Path,
) -> tuple[Trainer, dict[str, float]]:
    """Trains the network; returns the metrics of the weights it then has."""
    criterion = None
    if args.balance == "loss":
        labels = all_labels(args, train, val)
        criterion = CrossEntropyLoss(class_weights(labels, train.num_classes))
    task = SymGNNTask(
        model,
        train,
        weighting=args.weighting,
        recipe=args.recipe,
        learning_rate=args.learning_rate,
        seed=seed,
        skip_nonfinite=args.skip_nonfinite,
        prediction_criterion=args.loss or ("l1" if args.paper else "pose"),
        normalization=args.normalization or ("none" if args.paper else "l2"),
        recognition_criterion=criterion,
    )
    if args.compile:
        task.compile()
    data = MotionDataModule(
        joined(train, val) if args.refit else train,
        None if args.refit else val[:: max(1, len(val) // 256)],
        batch_size=args.batch_size,
        balanced=args.balance == "sampling",
        num_workers=args.workers,
        seed=seed,
    )
    trainer = make_trainer(
        output,
        ema=args.ema,
        validate_every=None if args.quick else args.validate_every,
        patience=args.patience,
        monitor=args.monitor,
        max_epochs=1 if args.quick else None if args.steps else args.epochs,
        max_steps=args.steps or -1,
        max_time=args.max_time and timedelta(minutes=args.max_time),
        limit_train_batches=4 if args.quick else None,
        limit_val_batches=1 if args.quick else None,
        precision=args.precision,
        deterministic=args.deterministic,
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", 1)),
        num_nodes=args.nodes,
    )
    last = output / "last.ckpt"
    resume = last if args.resume and last.exists() else None
    if last.exists() and not args.resume:
        raise FileExistsError(
            f"{output} holds an earlier training: pass --resume to continue "
            f"it, or another --output"
        )
    if args.resume and resume is None:
        warnings.warn(f"{last} does not exist yet: starting", stacklevel=1)
    trainer.fit(task, data, ckpt_path=resume)
    return trainer, load_best(trainer, task)


def save(
    args: Namespace,
    model: SymGNN | Ensemble,
    train: MotionDataset,
    val: MotionDataset,
    output: Path,
    **about: Any,
) -> None:
    labels = all_labels(args, train, val)
    name = "synthetic" if args.data == "synthetic" else args.dataset
    if train.unit is not None:
        about["unit"] = train.unit
    PoseModel(
        model,
        val.transform,
        classes=train.classes,
        skeleton=train.store.skeleton,
    ).save_pretrained(
        output / "model",
        trained=[train.classes[i] for i in labels.unique().tolist()],
        data={"dataset": name, "training windows": len(labels)},
        command=command(),
        kind=train.kind,
        **about,
    )
    print(f"Wrote {output / 'model'}")


if __name__ == "__main__":
    main()

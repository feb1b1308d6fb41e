"""Train Sym-GNN in one process or many, and resume after interruptions.

    python examples/train.py                          # synthetic motion
    python examples/train.py --data cmu_mocap.zip     # real motion
    python examples/train.py --data nturgbd_skeletons.zip --dataset ntu
    python examples/train.py --resume                 # from last.ckpt
    python examples/train.py --seeds 0 1 2            # and their average
    python examples/train.py --data cmu_mocap.zip --weights cmu-light-long
    torchrun --nproc-per-node=2 examples/train.py     # two processes

Writes to --output: last.ckpt (once a minute and after each validation),
best.ckpt, the folder `model` for `PoseModel.from_pretrained`, and logs as CSV
and for TensorBoard. With --seeds, each seed has a folder of its own, and
`model` is the average of all.
"""

import os
import sys
import warnings
from argparse import Namespace
from datetime import timedelta
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer, seed_everything
from shared import command, no_traceback
from torch.nn import CrossEntropyLoss
from train_arguments import parse_arguments
from train_data import all_labels, class_weights, joined, open_splits

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import Ensemble, PoseModel
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import (
    DEFAULT_HEAD,
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
    args = parse_arguments(__doc__.splitlines()[0])
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


def run(args: Namespace) -> None:
    seeds = args.seeds or [args.seed]
    start = None
    if args.weights:
        start = PoseModel.from_pretrained(args.weights)
        if not isinstance(start.model, SymGNN):
            raise DataError(
                f"Expected a SymGNN in {args.weights}, got a "
                f"{type(start.model).__name__}"
            )
    args.observed = args.observed or (start.num_observed if start else 50)
    args.future = args.future or (start.num_future if start else 25)
    train, val = open_splits(args, seeds[0], start)
    models, main_process = [], True
    for seed in seeds:
        output = args.output / f"seed{seed}" if args.seeds else args.output
        if args.seeds:
            print(f"Seed {seed}", file=sys.stderr, flush=True)
        seed_everything(seed, verbose=False)
        model = make_network(args, train)
        # What was said of the weights no longer holds.
        model.about = {}
        trainer, metrics = fit(args, model, train, val, seed, output)
        main_process = trainer.is_global_zero
        if main_process:
            save(args, model, train, val, output, seed=seed, metrics=metrics)
        models.append(model)
    if args.seeds and main_process:
        average = Ensemble([model.cpu() for model in models])
        save(args, average, train, val, args.output, seed=seeds)


def make_network(args: Namespace, train: MotionDataset) -> SymGNN:
    if args.weights:
        changes = {} if args.dropout is None else {"dropout": args.dropout}
        return SymGNN.from_pretrained(
            args.weights,
            train.skeleton,
            num_classes=train.num_classes,
            num_observed=args.observed,
            num_future=args.future,
            **changes,
        )
    dropout = 0.1 if args.dropout is None else args.dropout
    head = {**(PAPER_HEAD if args.paper else DEFAULT_HEAD)}
    if args.hidden_channels:
        head["hidden_channels"] = args.hidden_channels
    if args.network == "light":
        channels = args.channels or [32, 64, 128, 256]
        return light_network(train, channels, dropout, **head)
    return SymGNN.full(
        train.skeleton,
        train.num_classes,
        num_observed=args.observed,
        num_future=args.future,
        dropout=dropout,
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

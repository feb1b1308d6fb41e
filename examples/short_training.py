"""The training that cmu_mocap.py and bandai_namco.py share."""

import argparse
import signal

import torch

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import (
    MotionDataModule,
    SymGNNTask,
    load_best,
    make_trainer,
)


def fit(
    model: SymGNN,
    train: MotionDataset,
    val: MotionDataset,
    args: argparse.Namespace,
    device: torch.device,
    weighting: float | str = "mgda",
) -> dict[str, float]:
    """Trains for the given steps, then loads the averaged weights that were
    best on the validation windows, and returns their metrics. Ctrl-C ends the
    training early, and sets `args.exit_status` to 130."""
    task = SymGNNTask(
        model,
        train,
        weighting=weighting,
        learning_rate=args.learning_rate,
        seed=args.seed,
        prediction_criterion="pose",
    )
    data = MotionDataModule(
        train, val, batch_size=args.batch_size, balanced=True, seed=args.seed
    )
    cuda = device.type == "cuda"
    trainer = make_trainer(
        args.output / "training",
        ema=0.98,
        max_steps=args.steps,
        validate_every=max(1, args.steps // 4),
        accelerator=device.type,
        devices=[device.index or 0] if cuda else 1,
    )
    args.exit_status = 0
    try:
        trainer.fit(task, data)
    except SystemExit:
        args.exit_status = 130
        # Lightning turns Ctrl-C into SystemExit and then ignores Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nStopped; reporting the results so far.")
    steps, best = trainer.global_step, load_best(trainer, task)
    if best:
        error = f" (error {best['val_error']:.3f})" if model.num_future else ""
        print(
            f"{steps} steps; kept the weights with the lowest val_score, the "
            f"error relative to zero velocity minus the accuracy: "
            f"{best['val_score']:.3f}{error}"
        )
    model.to(device).eval()
    return best

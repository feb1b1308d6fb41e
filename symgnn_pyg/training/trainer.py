import os
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    ModelCheckpoint,
    ProgressBar,
    WeightAveraging,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from symgnn_pyg.training.progress import TrainingBar
from symgnn_pyg.training.safetensors_checkpoint import SafetensorsCheckpoint

MONITORS = ("val_score", "val_error")


def make_trainer(
    output: str | os.PathLike[str],
    checkpoint_seconds: float = 60.0,
    ema: float | None = None,
    patience: int | None = None,
    monitor: str = "val_score",
    **kwargs: Any,
) -> Trainer:
    r"""A :class:`lightning.pytorch.Trainer` that can be killed: it keeps
    :obj:`last.ckpt`, from which :obj:`trainer.fit(..., ckpt_path=...)` goes on
    bit by bit as if nothing had happened, and :obj:`best.ckpt`, the best of
    all validations (see :func:`load_best`). Losses and metrics are logged for
    TensorBoard and as CSV, of each start by itself, and one bar shows how far
    the whole training has come (:class:`TrainingBar`). There is no validation
    before training.

    Args:
        output: The folder for checkpoints and logs.
        checkpoint_seconds: How often to write :obj:`last.ckpt`, in seconds; it
            is also written after each validation. (default: :obj:`60.0`)
        ema: The decay of an exponential moving average of the weights, which
            is then validated and kept as the best.
            (default: :obj:`None`)
        patience: After how many validations without a better score to stop.
            (default: :obj:`None`)
        monitor: What makes a validation the best: the lowest
            :obj:`"val_score"`, or :obj:`"val_error"` of the prediction alone.
            A training that goes on with another one forgets which was best.
            (default: :obj:`"val_score"`)
        **kwargs: The further arguments of the trainer.

    Raises:
        ValueError: If :obj:`monitor` is neither.
    """
    if monitor not in MONITORS:
        raise ValueError(
            f"'monitor' must be one of {MONITORS}, got {monitor!r}"
        )
    output = Path(output)
    callbacks: list[Callback] = [
        _OwnCheckpoint(
            output,
            "best",
            monitor=monitor,
            save_top_k=1,
            save_on_train_epoch_end=False,
            enable_version_counter=False,
        ),
        _Last(
            output,
            "last",
            train_time_interval=timedelta(seconds=checkpoint_seconds),
            save_top_k=1,
            enable_version_counter=False,
        ),
        *kwargs.pop("callbacks", []),
    ]
    if ema is not None:
        callbacks.append(WeightAveraging(avg_fn=_Decay(ema)))
    if patience is not None:
        callbacks.append(EarlyStopping(monitor, patience=patience))
    if kwargs.get("enable_progress_bar", True) and not any(
        isinstance(callback, ProgressBar) for callback in callbacks
    ):
        callbacks.append(TrainingBar())
    return Trainer(
        callbacks=callbacks,
        plugins=[SafetensorsCheckpoint(), *kwargs.pop("plugins", [])],
        **{
            "logger": [
                CSVLogger(output, "logs/csv"),
                TensorBoardLogger(output, "logs", "tensorboard"),
            ],
            "use_distributed_sampler": False,
            "num_sanity_val_steps": 0,
            "enable_model_summary": False,
            **kwargs,
        },
    )


def load_best(trainer: Trainer, task: LightningModule) -> dict[str, float]:
    r"""Gives a task the weights that were best in its validations.

    Args:
        trainer: The trainer that :func:`make_trainer` made and that trained
            the task, or was interrupted.
        task: The task.

    Returns:
        What that validation found, by name; nothing where there was none and
        the task keeps the weights that it has.
    """
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.monitor:
            path = callback.best_model_path
            # It is named before it is written, which may be interrupted.
            if path and (callback._last_checkpoint_saved or trainer.ckpt_path):
                kept = SafetensorsCheckpoint().load_checkpoint(path)
                task.load_state_dict(kept["state_dict"])
                return kept["metrics"]
    return {}


class _Decay:
    def __init__(self, decay: float) -> None:
        self.decay = decay

    def __call__(self, kept: Tensor, new: Tensor, count: Tensor) -> Tensor:
        # Counters and fingerprints have no average.
        if not kept.is_floating_point():
            return new
        return torch.lerp(kept, new, 1 - self.decay)


class _OwnCheckpoint(ModelCheckpoint):
    r"""Keeps one file, and takes no other's name from a checkpoint: what it
    names is removed when there is a better one, and opened in the end.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        own = Path(self.format_checkpoint_name({})).resolve()
        named = {
            *state_dict["best_k_models"],
            state_dict["best_model_path"],
            state_dict["kth_best_model_path"],
            state_dict["last_model_path"],
        }
        if all(Path(path).resolve() == own for path in named if path):
            super().load_state_dict(state_dict)
        else:
            warnings.warn(
                f"The checkpoint names other files than {own}, which are left "
                f"alone: its score is forgotten",
                stacklevel=2,
            )


class _Last(_OwnCheckpoint):
    r"""Waits for a validation that is due, which a training that goes on from
    right before it would leave out.
    """

    def on_train_batch_end(
        self, trainer: Trainer, task: LightningModule, *args: Any
    ) -> None:
        loop, data = trainer.fit_loop, trainer.fit_loop._data_fetcher
        assert data is not None
        if not any(trainer.num_val_batches) or (
            not loop.epoch_loop._should_check_val_fx(data)
        ):
            super().on_train_batch_end(trainer, task, *args)

    def on_validation_end(
        self, trainer: Trainer, task: LightningModule
    ) -> None:
        if (
            trainer.state.fn == TrainerFn.FITTING
            and not trainer.sanity_checking
        ):
            trainer.save_checkpoint(self.format_checkpoint_name({}))

import logging
import os
import warnings
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    ModelCheckpoint,
    ProgressBar,
    WeightAveraging,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from symgnn_pyg.errors import check_choices, check_sizes, warn
from symgnn_pyg.files import resolved
from symgnn_pyg.training.folder_lock import FolderLock
from symgnn_pyg.training.safetensors_checkpoint import SafetensorsCheckpoint
from symgnn_pyg.training.training_bar import TrainingBar, best_checkpoint

MONITORS = ("val_score", "val_error")


def make_trainer(
    output: str | os.PathLike[str],
    checkpoint_seconds: float = 60.0,
    ema: float | None = None,
    *,
    patience: int | None = None,
    monitor: str = "val_score",
    validate_every: int | None = None,
    **kwargs: Any,
) -> Trainer:
    r"""Creates a :class:`lightning.pytorch.Trainer` whose training can be
    interrupted at any time. It saves :obj:`last.ckpt`, from which
    :obj:`trainer.fit(..., ckpt_path=...)` resumes bit for bit, and
    :obj:`best.ckpt`, the weights of the best validation (see
    :func:`load_best`). Losses and metrics are logged for TensorBoard and as
    CSV every ten steps, with the learning rate and the settings of the task, in
    a folder for each start, and a :class:`TrainingBar` shows the progress.
    There is no validation before training. A folder that another training is
    writing to is refused, and a training that is refused leaves no logs. What
    Lightning says about its own set-up, and its advice on speed, is not shown.

    Args:
        output: The folder for checkpoints and logs.
        checkpoint_seconds: The time between two saves of :obj:`last.ckpt`, in
            seconds. It is also saved after each validation and at the end of
            each epoch. (default: :obj:`60.0`)
        ema: The decay of an exponential moving average of the weights, which
            is then used for validation and :obj:`best.ckpt`.
            (default: :obj:`None`)
        patience: The number of validations without improvement after which to
            stop. (default: :obj:`None`)
        monitor: The value to minimise in validation: :obj:`"val_score"`, or
            :obj:`"val_error"` for the prediction error only. Resuming with
            another value discards the best one so far.
            (default: :obj:`"val_score"`)
        validate_every: The number of training batches between validations,
            counted across epochs. (default: one epoch)
        **kwargs: Further arguments of :class:`lightning.pytorch.Trainer`.

    Raises:
        ValueError: If :obj:`monitor` is unknown or :obj:`validate_every` is
            less than 1. The training raises it, too, if another one is writing
            to :obj:`output`.
    """
    check_choices(MONITORS, monitor=monitor)
    if validate_every is not None:
        check_sizes(1, validate_every=validate_every)
    output = resolved(output)
    callbacks: list[Callback] = [*kwargs.pop("callbacks", [])]
    if kwargs.get("enable_checkpointing", True):
        best = _OwnCheckpoint(
            output,
            "best",
            monitor=monitor,
            save_on_train_epoch_end=False,
            enable_version_counter=False,
        )
        last = _Last(
            output,
            "last",
            train_time_interval=timedelta(seconds=checkpoint_seconds),
            enable_version_counter=False,
        )
        callbacks = [FolderLock(output), best, last, *callbacks]
    if ema is not None:
        callbacks.append(WeightAveraging(avg_fn=partial(_average, ema)))
    if patience is not None:
        # Training resumed at the end of an epoch has not been validated again.
        callbacks.append(
            _EarlyStopping(
                monitor, patience=patience, check_on_train_epoch_end=False
            )
        )
    if kwargs.get("enable_progress_bar", True) and not any(
        isinstance(callback, ProgressBar) for callback in callbacks
    ):
        callbacks.append(TrainingBar())
    if validate_every is not None:
        # A shorter training is validated at its end.
        batches = kwargs.get("accumulate_grad_batches", 1)
        most = batches * kwargs.get("max_steps", -1)
        kwargs["val_check_interval"] = (
            min(validate_every, most) if most > 0 else validate_every
        )
        kwargs["check_val_every_n_epoch"] = None
    _quieten()
    loggers = _CSV(output, "logs/csv"), _TensorBoard(output, "logs/tensorboard")
    trainer = Trainer(
        callbacks=callbacks,
        plugins=[SafetensorsCheckpoint(), *kwargs.pop("plugins", [])],
        **{
            "logger": loggers,
            "log_every_n_steps": 10,
            "use_distributed_sampler": False,
            "num_sanity_val_steps": 0,
            "enable_model_summary": False,
            **kwargs,
        },
    )
    for logger in loggers:
        logger.trainer = trainer
    return trainer


def load_best(trainer: Trainer, task: LightningModule) -> dict[str, float]:
    r"""Loads the weights of the best validation into a task.

    Args:
        trainer: A trainer created by :func:`make_trainer`, whose training has
            finished or was interrupted.
        task: The task.

    Returns:
        The metrics of that validation by name. They are empty if there was no
        validation, in which case the task keeps its weights.
    """
    best = best_checkpoint(trainer)
    # The path is set before the file exists; after an interruption it may point
    # to nothing.
    if (
        best is None
        or not best.best_model_path
        or not (best._last_checkpoint_saved or trainer.ckpt_path)
    ):
        return {}
    kept = SafetensorsCheckpoint().load_checkpoint(best.best_model_path)
    task.load_state_dict(kept["state_dict"])
    return kept["metrics"]


def _quieten() -> None:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logger = logging.getLogger(name)
        # Any other level was chosen by the user.
        if logger.level == logging.INFO:
            logger.setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=PossibleUserWarning)
    for message in (
        "Checkpoint directory .* exists and is not empty",
        r"`isinstance\(treespec, LeafSpec\)` is deprecated",
        "Total length of `list` across ranks is zero",
    ):
        warnings.filterwarnings("ignore", message)


def _average(decay: float, kept: Tensor, new: Tensor, _: Tensor) -> Tensor:
    # Counters and fingerprints cannot be averaged.
    if not kept.is_floating_point():
        return new
    return torch.lerp(kept, new, 1 - decay)


class _Late:
    r"""Creates its folder once the checkpoint and the data are loaded, so that
    a training that is refused leaves none behind.
    """

    trainer: Trainer | None = None

    @property
    def experiment(self) -> Any:
        # Lightning asks for it earlier.
        starting = self.trainer is not None and (
            self.trainer.training and self.trainer.train_dataloader is None
        )
        if starting:
            return DummyLogger().experiment
        return super().experiment  # type: ignore[misc]

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        self.trainer = None
        super().log_hyperparams(*args, **kwargs)  # type: ignore[misc]


class _CSV(_Late, CSVLogger):
    pass


class _TensorBoard(_Late, TensorBoardLogger):
    pass


class _EarlyStopping(EarlyStopping):
    r"""Keeps the given patience when training is resumed."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})


class _OwnCheckpoint(ModelCheckpoint):
    r"""Ignores the state in a checkpoint if it names files other than its own,
    since Lightning would later open and delete those files.
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
            warn(
                f"The checkpoint refers to files other than {own}; they stay "
                f"untouched, and the best score so far is discarded"
            )


class _Last(_OwnCheckpoint):
    r"""Saves after a scheduled validation instead of just before it, since
    training that is resumed from there would skip the validation. Saves after
    the last batch of an epoch without validation and after the last step.
    """

    def on_train_batch_end(
        self, trainer: Trainer, task: LightningModule, *args: Any
    ) -> None:
        # Lightning does not tell otherwise whether a validation follows.
        loop, data = trainer.fit_loop, trainer.fit_loop._data_fetcher
        assert data is not None
        if not any(trainer.num_val_batches) or (
            not loop.epoch_loop._should_check_val_fx(data)
        ):
            super().on_train_batch_end(trainer, task, *args)
            last_step = trainer.global_step == trainer.max_steps
            if trainer.is_last_batch or last_step:
                trainer.save_checkpoint(self.format_checkpoint_name({}))

    def on_validation_end(
        self, trainer: Trainer, task: LightningModule
    ) -> None:
        if (
            trainer.state.fn == TrainerFn.FITTING
            and not trainer.sanity_checking
        ):
            trainer.save_checkpoint(self.format_checkpoint_name({}))

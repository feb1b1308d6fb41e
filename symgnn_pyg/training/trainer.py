import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    EMAWeightAveraging,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

from symgnn_pyg.training.safetensors_checkpoint import SafetensorsCheckpoint


def make_trainer(
    output: str | os.PathLike[str],
    checkpoint_seconds: float = 60.0,
    ema: float | None = None,
    patience: int | None = None,
    **kwargs: Any,
) -> Trainer:
    r"""A :class:`lightning.pytorch.Trainer` that can be killed: it keeps
    :obj:`last.ckpt`, from which :obj:`trainer.fit(..., ckpt_path=...)` goes on
    bit by bit as if nothing had happened, and :obj:`best.ckpt`, the lowest
    :obj:`val_score`. Losses and metrics are logged for TensorBoard and as CSV.
    Gradients are clipped at a norm of 1000, which only outliers reach, and
    there is no validation before training.

    Args:
        output: The folder for checkpoints and logs.
        checkpoint_seconds: How often to write :obj:`last.ckpt`, in seconds.
            (default: :obj:`60.0`)
        ema: The decay of an exponential moving average of the weights, which
            is then validated and kept as the best.
            (default: :obj:`None`)
        patience: After how many validations without a better score to stop.
            (default: :obj:`None`)
        **kwargs: The further arguments of the trainer.
    """
    output = Path(output)
    callbacks: list[Callback] = [
        ModelCheckpoint(
            output,
            "last",
            train_time_interval=timedelta(seconds=checkpoint_seconds),
            save_top_k=1,
            enable_version_counter=False,
        ),
        ModelCheckpoint(
            output,
            "best",
            monitor="val_score",
            save_top_k=1,
            enable_version_counter=False,
        ),
        *kwargs.pop("callbacks", []),
    ]
    if ema is not None:
        callbacks.append(EMAWeightAveraging(decay=ema))
    if patience is not None:
        callbacks.append(EarlyStopping("val_score", patience=patience))
    return Trainer(
        callbacks=callbacks,
        plugins=[SafetensorsCheckpoint(), *kwargs.pop("plugins", [])],
        **{
            "logger": [
                CSVLogger(output, "logs", "csv"),
                TensorBoardLogger(output, "logs", "tensorboard"),
            ],
            "use_distributed_sampler": False,
            "gradient_clip_val": 1e3,
            "num_sanity_val_steps": 0,
            "enable_model_summary": False,
            **kwargs,
        },
    )

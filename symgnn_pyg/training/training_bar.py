import sys
import time
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, ProgressBar
from tqdm import tqdm

from symgnn_pyg.training.recipes import progress


class TrainingBar(ProgressBar):
    r"""A progress bar for the whole training instead of each epoch, with the
    remaining time and the latest logged values, and one line per validation,
    with the learning rate and whether its weights are the best so far. A log
    that is a file gets only these lines, or without validation one line per
    tenth of the training. At the end it prints the throughput,
    without the first step, which may compile, and without validation; and on
    a GPU the peak memory that torch allocated.

    Args:
        interval: The shortest time between two updates of the bar, in
            seconds. (default: :obj:`0.2`)
    """

    def __init__(self, interval: float = 0.2) -> None:
        super().__init__()
        self.interval = interval
        self._enabled = True
        self._bar: tqdm | None = None
        self._drawn = 0.0
        self._began = 0.0
        self._validation_began = 0.0

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def print(self, *args: Any, **kwargs: Any) -> None:
        tqdm.write(" ".join(map(str, args)))

    def on_train_start(self, trainer: Trainer, task: LightningModule) -> None:
        self._bar = tqdm(
            total=100,
            # Training may have been resumed.
            initial=100 * progress(trainer),
            smoothing=0,
            bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
            dynamic_ncols=True,
            disable=not self._enabled or not sys.stderr.isatty(),
        )
        self._first_step: int | None = None
        self._samples = 0
        self._tenths = int(10 * progress(trainer))

    def on_train_batch_end(
        self,
        trainer: Trainer,
        task: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if self._first_step is None:
            self._first_step = trainer.global_step
            self._began = time.monotonic()
        else:
            self._samples += getattr(batch, "num_graphs", 0)
        if time.monotonic() - self._drawn >= self.interval:
            self._draw(trainer)
        tenths = int(10 * progress(trainer))
        if tenths > self._tenths and not trainer.enable_validation:
            self._tenths = tenths
            if not sys.stderr.isatty():
                self._write(trainer)

    def on_validation_start(
        self, trainer: Trainer, task: LightningModule
    ) -> None:
        self._validation_began = time.monotonic()

    def on_validation_end(
        self, trainer: Trainer, task: LightningModule
    ) -> None:
        self._began += time.monotonic() - self._validation_began
        best = best_checkpoint(trainer)
        # The callback keeps the weights later.
        is_best = best is not None and best.check_monitor_top_k(
            trainer, trainer.callback_metrics.get(best.monitor or "")
        )
        self._write(trainer, ", kept as the best" if is_best else "")
        self._draw(trainer)

    def on_train_end(self, trainer: Trainer, task: LightningModule) -> None:
        self._draw(trainer)
        self._close()
        if self._enabled:
            self._print_throughput(trainer)

    def _write(self, trainer: Trainer, kept: str = "") -> None:
        if self._bar is not None and self._enabled:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            tqdm.write(
                f"{progress(trainer):4.0%} learning_rate={rate:.2g}, "
                f"{_newest(trainer)}{kept}",
                file=sys.stderr,
            )

    def _draw(self, trainer: Trainer) -> None:
        if self._bar is None or not self._enabled:
            return
        self._drawn = time.monotonic()
        self._bar.n = 100 * progress(trainer)
        self._bar.set_postfix_str(_newest(trainer))

    def _print_throughput(self, trainer: Trainer) -> None:
        if self._first_step is None or trainer.global_step <= self._first_step:
            return
        device = trainer.strategy.root_device
        on_gpu = device.type == "cuda"
        if on_gpu:
            torch.cuda.synchronize(device)
        seconds = max(1e-9, time.monotonic() - self._began)
        steps = (trainer.global_step - self._first_step) / seconds
        samples = self._samples * trainer.world_size / seconds
        print(
            f"{steps:,.1f} steps, {samples:,.0f} samples per second",
            file=sys.stderr,
        )
        if on_gpu:
            peak = torch.cuda.max_memory_allocated(device) / 2**30
            print(f"peak GPU memory: {peak:.2f} GiB", file=sys.stderr)

    def _close(self, *_: Any, **__: Any) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    on_exception = _close


def best_checkpoint(trainer: Trainer) -> ModelCheckpoint | None:
    r"""The callback that keeps the weights of the best validation."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.monitor:
            return callback
    return None


def _newest(trainer: Trainer) -> str:
    metrics = trainer.progress_bar_metrics.items()
    values = [f"{name}={value:.3g}" for name, value in metrics]
    return ", ".join([f"step={trainer.global_step}", *values])

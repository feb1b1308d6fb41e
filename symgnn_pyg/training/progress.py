import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar, Timer
from tqdm import tqdm

# How often the bar is drawn, in seconds.
INTERVAL = 0.2


def progress(trainer: Trainer) -> float:
    r"""The share of a training that is done: of its steps or of its time,
    whichever is nearer to its end.

    Args:
        trainer: The trainer, once it has begun.
    """
    shares = [trainer.global_step / trainer.estimated_stepping_batches]
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, Timer):
            left = callback.time_remaining()
            if left is not None:
                elapsed = callback.time_elapsed()
                shares.append(elapsed / (elapsed + left))
    return min(1.0, max(shares))


class TrainingBar(ProgressBar):
    r"""One progress bar over a whole training instead of one for each epoch,
    with the time that is left and the newest of what is logged.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._bar: tqdm | None = None
        self._drawn = 0.0

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def print(self, *args: Any, **kwargs: Any) -> None:
        tqdm.write(" ".join(map(str, args)))

    def on_train_start(self, trainer: Trainer, task: LightningModule) -> None:
        self._bar = tqdm(
            total=100,
            # A training that goes on does not begin at zero.
            initial=100 * progress(trainer),
            smoothing=0,
            bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
            dynamic_ncols=True,
            disable=not self._enabled,
        )

    def on_train_batch_end(
        self, trainer: Trainer, task: LightningModule, *args: Any
    ) -> None:
        if time.monotonic() - self._drawn >= INTERVAL:
            self._draw(trainer)

    def on_validation_end(
        self, trainer: Trainer, task: LightningModule
    ) -> None:
        self._draw(trainer)

    def on_train_end(self, trainer: Trainer, task: LightningModule) -> None:
        self._draw(trainer)
        self._close()

    def on_exception(self, *args: Any) -> None:
        self._close()

    def _draw(self, trainer: Trainer) -> None:
        if self._bar is None or not self._enabled:
            return
        self._drawn = time.monotonic()
        self._bar.n = 100 * progress(trainer)
        metrics = trainer.progress_bar_metrics
        self._bar.set_postfix_str(
            ", ".join(
                [
                    f"step={trainer.global_step}",
                    *(f"{name}={v:.3g}" for name, v in metrics.items()),
                ]
            )
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

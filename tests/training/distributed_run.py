"""What the processes of a distributed run do; each writes what it found."""

import json
import math
import os
import signal
import sys
import warnings
from pathlib import Path

import torch
from lightning.pytorch import Callback

from tests.training import tiny_run as tiny

RANK = int(os.environ.get("RANK", 0))
RESTARTS = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))
DEVICES = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
SPOILED = 13


class Log(Callback):
    """Keeps the loss of each step and freezes the batch statistics."""

    def __init__(self):
        self.losses = []

    def on_train_epoch_start(self, trainer, task):
        task.model.eval()

    def on_train_batch_end(self, trainer, task, *_):
        found = trainer.callback_metrics
        self.losses.append(
            [float(found[k]) for k in ("recognition", "prediction", "alpha")]
        )


class Kill(Callback):
    """Ends the second process without warning, at its first start."""

    def on_train_batch_start(self, trainer, *_):
        if trainer.global_step == 3 and RANK == 1 and RESTARTS == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def full_batches(folder):
    """Full batches, batch statistics frozen: what is learned must not depend
    on the number of processes."""
    log = Log()
    tiny.fit(
        folder,
        max_epochs=5,
        callbacks=[log],
        devices=DEVICES,
        data={"batch_size": 20},
        transform=False,
    )
    return log.losses


def not_finite(folder, **arguments):
    """One sample, which the second process reads, is spoiled."""
    task, data, trainer = tiny.make_run(folder, devices=DEVICES, task=arguments)
    batch_of = data.train_dataset.batch

    def batch(indices):
        batch = batch_of(indices)
        if SPOILED in indices:
            batch.x[3 * indices.index(SPOILED)] = math.nan
        return batch

    data.train_dataset.batch = batch
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            trainer.fit(task, data)
    except FloatingPointError as error:
        return {"error": str(error)}
    return {
        "skipped": task.skipped,
        "warned": [
            str(w.message) for w in caught if "was skipped" in str(w.message)
        ],
        "steps": trainer.global_step,
        "weights": checksum(task),
    }


def elastic(folder):
    """A run whose second process is killed, and one that is never stopped."""
    resumed = (folder / "last.ckpt").exists()
    task, _ = tiny.fit(folder, resumed, callbacks=[Kill()], devices=DEVICES)
    whole, _ = tiny.fit(folder / "whole", devices=DEVICES)
    return {
        "restarts": RESTARTS,
        "resumed": resumed,
        "weights": checksum(task),
        "expected": checksum(whole),
    }


def checksum(task):
    return [float(p.double().sum()) for p in task.parameters()]


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    found = {
        "elastic": elastic(folder / "elastic"),
        "losses": full_batches(folder / "losses"),
        "stops": not_finite(folder / "stops"),
        "skips": not_finite(folder / "skips", skip_nonfinite=True),
    }
    (folder / f"found_{RANK}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()

"""A tiny run of training, and ways to kill it."""

import os
import signal
import warnings

import numpy as np
import torch
from lightning.pytorch import Callback
from torch_geometric.transforms import Compose

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence, SequenceStore
from symgnn_pyg.datasets import MotionDataset, all_windows
from symgnn_pyg.files import replacing
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import (
    MotionDataModule,
    SafetensorsCheckpoint,
    SymGNNTask,
    make_trainer,
)
from symgnn_pyg.transforms import RandomJitter
from tests.conftest import TINY

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])
T, STEPS, K, BATCH = 6, 3, 2, 4
SIZES = {**TINY, "num_observed": T, "num_future": STEPS}


def write_store(path):
    random = np.random.default_rng(0)
    sequences = [
        MotionSequence(str(i), random.standard_normal((13, 3, 3)) / 3, i % K)
        for i in range(4)
    ]
    return SequenceStore.write(path, sequences, ARM, ["x", "y"])


def make_run(folder, writer=None, transform=True, **arguments):
    """Task, data and trainer of a tiny run: five steps per epoch, with
    dropout and random transforms."""
    warnings.simplefilter("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"store_{os.environ.get('RANK', 0)}.h5"
    store = SequenceStore(path) if path.exists() else write_store(path)
    dataset = MotionDataset(
        store,
        all_windows(store, range(4), num_observed=T, num_future=STEPS),
        num_observed=T,
        num_future=STEPS,
    )
    if transform:
        dataset.transform = Compose([dataset.standardize(), RandomJitter(0.01)])
    torch.manual_seed(1)
    model = SymGNN(ARM, K, **{**SIZES, **arguments.pop("model", {})})
    task = SymGNNTask(model, dataset, **arguments.pop("task", {}))
    data = MotionDataModule(
        dataset,
        dataset[:4],
        **{"batch_size": BATCH, **arguments.pop("data", {})},
    )
    trainer = make_trainer(
        folder,
        **{
            "checkpoint_seconds": 0.0,
            "max_epochs": 2,
            "accelerator": "cpu",
            "devices": 1,
            "enable_progress_bar": False,
            **arguments,
        },
    )
    if writer is not None:
        trainer.strategy.checkpoint_io = writer
    return task, data, trainer


def fit(folder, resume=False, **arguments):
    """Task and trainer of a tiny run that has ended."""
    task, data, trainer = make_run(folder, **arguments)
    last = folder / "last.ckpt" if resume else None
    trainer.fit(task, data, ckpt_path=last)
    return task, trainer


def assert_equal(one, other):
    """Both have the same weights and running statistics, bit by bit."""
    one, other = one.state_dict(), other.state_dict()
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


class Kill(Callback):
    """Ends the process without warning when a step begins."""

    def __init__(self, step):
        self.step = step

    def on_train_batch_start(self, trainer, *_):
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


class KillInValidation(Callback):
    """Ends the process when a validation begins."""

    def __init__(self, step):
        self.step = step

    def on_validation_batch_start(self, trainer, *_):
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


class KilledWriter(SafetensorsCheckpoint):
    """Ends the process in the middle of writing its third checkpoint."""

    count = 0

    def save_checkpoint(self, checkpoint, path, storage_options=None):
        self.count += 1
        if self.count < 3:
            super().save_checkpoint(checkpoint, path)
            return
        with replacing(path) as temporary:
            temporary.write_bytes(b"half a checkpoint")
            os.kill(os.getpid(), signal.SIGKILL)


KILLS = {
    "writing": lambda: {"writer": KilledWriter()},
    "after validation": lambda: {"callbacks": [Kill(5)]},
    "second epoch": lambda: {"callbacks": [Kill(7)]},
    "last validation": lambda: {"callbacks": [KillInValidation(10)]},
}

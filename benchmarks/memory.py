"""Whether memory grows during a long training or a long stream.

    OMP_NUM_THREADS=1 python -m benchmarks.memory --threads 1

Trains a small network on synthetic motion with the trainer that writes
checkpoints and logs and validates, then passes frames to `Stream.step`, each in
its own process; `--steps 0` or `--frames 0` skips one of them. The first tenth
of the work is the warm-up: growth is the peak resident memory after it, minus
the memory at its end. Pages of files, such as libraries, are not counted,
because the system loads and evicts them as it needs.
"""

import argparse
import logging
import math
import multiprocessing
import re
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer, seed_everything
from tqdm import trange

from benchmarks.report import Table, arguments, targets, write
from symgnn_pyg import Skeleton
from symgnn_pyg.datasets import SyntheticMotion
from symgnn_pyg.inference import Stream
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import MotionDataModule, SymGNNTask, make_trainer

LIMIT = 20.0
SAMPLES = 200
OBSERVED, FUTURE, BATCH = 8, 2, 4
JOINTS = 3
SMALL: dict[str, Any] = {
    "num_observed": OBSERVED,
    "num_future": FUTURE,
    "num_hops": 1,
    "kernel_size": 3,
}
TRAINED = {**SMALL, "channels": (8, 8), "strides": (1, 2), "fusion": (1,),
           "hidden_channels": 8}  # fmt: skip
STREAMED = {**SMALL, "num_future": 1, "channels": (4, 4), "strides": (1, 1),
            "fusion": (), "orders": (0,), "num_iterations": 1,
            "use_parts": False, "hidden_channels": 4}  # fmt: skip


def main() -> None:
    args = arguments(__doc__, steps=20_000, frames=1_000_000)
    steps, frames = (400, 4_000) if args.quick else (args.steps, args.frames)
    found = [
        curve(what, count, work, args)
        for what, count, work in (
            ("training steps", steps, train),
            ("frames of a stream", frames, stream),
        )
        if count
    ]
    aims = [
        (f"growth in {table.title}, MB", growth, LIMIT)
        for table, growth in found
    ]
    write(args, [*(table for table, _ in found), targets(aims)])


def curve(
    what: str,
    count: int,
    work: Callable[[int, int], list[float]],
    args: argparse.Namespace,
) -> tuple[Table, float]:
    """The memory after each tenth of the work, and its growth."""
    with ProcessPoolExecutor(
        1,
        multiprocessing.get_context("spawn"),
        torch.set_num_threads,
        (args.threads,),
    ) as pool:
        every = max(1, count // SAMPLES)
        samples = pool.submit(work, count, every).result()
    table = Table(f"{count:,} {what}", ["done", "resident memory, MB"])
    for tenth in range(1, 11):
        place = math.ceil(tenth * len(samples) / 10) - 1
        table.add(f"{tenth / 10:.0%}", samples[place])
    warm = len(samples) // 10
    return table, max(samples[warm:]) - samples[warm - 1]


class Sampler(Callback):
    """Records the resident memory every few steps."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.samples: list[float] = []

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.global_step % self.every == 0:
            self.samples.append(resident())


def train(steps: int, every: int) -> list[float]:
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    seed_everything(0, verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        opened = partial(
            SyntheticMotion, folder, num_observed=OBSERVED, num_future=FUTURE
        )
        dataset, val = opened("train"), opened("val")
        dataset.transform = val.transform = dataset.standardize()
        model = SymGNN(dataset.skeleton, dataset.num_classes, **TRAINED)
        sampler = Sampler(every)
        trainer = make_trainer(
            folder,
            checkpoint_seconds=10.0,
            max_steps=steps,
            validate_every=steps // 20,
            accelerator="cpu",
            devices=1,
            callbacks=[sampler],
        )
        task = SymGNNTask(model, dataset)
        trainer.fit(task, MotionDataModule(dataset, val[:64], batch_size=BATCH))
    return sampler.samples


def stream(frames: int, every: int) -> list[float]:
    torch.manual_seed(0)
    joints = [str(joint) for joint in range(JOINTS)]
    bones = [(joint, joint - 1) for joint in range(1, JOINTS)]
    stream = Stream(SymGNN(Skeleton(joints, bones), 2, **STREAMED))
    pose, samples = torch.zeros(JOINTS, 3), []
    for frame in trange(1, frames + 1, desc="streaming", mininterval=1.0):
        pose = 0.9 * pose + 0.1 * torch.randn(JOINTS, 3)
        output = stream.step(pose)
        if output.future is None or not output.future.isfinite().all():
            raise AssertionError(f"frame {frame}: {output}")
        if frame % every == 0:
            samples.append(resident())
    return samples


def resident() -> float:
    """The resident memory of this process without files, in MB."""
    status = Path("/proc/self/status").read_text()
    (kilobytes,) = re.findall(r"RssAnon:\s*(\d+) kB", status)
    return int(kilobytes) / 1e3


if __name__ == "__main__":
    main()

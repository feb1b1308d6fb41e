"""Preparing many clips, and loading them.

    python -m benchmarks.data

First, `symgnn_pyg.data.prepare` writes 100,000 synthetic clips, shaped like
those of NTU-RGB+D, to shards, and all of them are read back; the table gives
clips per second and the peak resident memory, summed over processes. Then
`SkeletonLoader` and PyG's `DataLoader` take turns on the same windows and must
give equal batches.
"""

import io
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_geometric.loader import DataLoader

from benchmarks.measure import budget, interleaved, ratios
from benchmarks.report import Table, arguments, write
from symgnn_pyg.data import SequenceStore, SkeletonLoader
from symgnn_pyg.data.prepare import Recording, prepare
from symgnn_pyg.datasets import MotionDataset, all_windows, clip_windows
from symgnn_pyg.io import Source
from symgnn_pyg.skeleton import Skeleton

NTU25 = Skeleton.get("ntu25")

CLIPS, CLASSES = 100_000, 60
MEMORY, SPEED = 1.5, 10.0
WORKERS = 2
BATCH = 64


class MadeUp(Source):
    """Clips of 40 to 120 frames, every fourth with two bodies. They are
    generated when read, because their files would fill the disk.
    """

    def __init__(self, count: int) -> None:
        self.path = Path("made-up")
        self._full = {f"{i:06d}.npy": f"{i:06d}.npy" for i in range(count)}

    def read(self, name: str) -> bytes:
        seed = int(Path(name).stem)
        random = np.random.default_rng(seed)
        bodies, frames = 1 + (seed % 4 == 0), random.integers(40, 121)
        start = random.standard_normal((bodies, 1, NTU25.num_joints, 3), "f4")
        step = random.standard_normal((bodies, frames, 1, 3), "f4")
        content = io.BytesIO()
        np.save(content, start + 0.1 * step)
        return content.getvalue()

    def stamp(self, name: str) -> str:
        return name


def parse(content: bytes, where: str) -> np.ndarray:
    return np.load(io.BytesIO(content), allow_pickle=False)


def main() -> None:
    args = arguments(__doc__)
    count = 400 if args.quick else CLIPS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clips.h5"
        preparing, store, memory = prepared(path, count)
        loading, fastest = loaded(store, args.quick)
    targets = Table("Targets", ["what", "measured", "target", "met"])
    word = "yes" if memory <= MEMORY else "no"
    targets.add("resident memory, GB", memory, f"at most {MEMORY}", word)
    word = "yes" if fastest >= SPEED else "no"
    targets.add("loader, times as fast", fastest, f"at least {SPEED}", word)
    write(args, [preparing, loading, targets])


def prepared(path: Path, count: int) -> tuple[Table, SequenceStore, float]:
    source = MadeUp(count)
    recordings = [
        Recording(name, name, i % CLASSES) for i, name in enumerate(source)
    ]
    classes = [f"A{i + 1:03d}" for i in range(CLASSES)]
    begin = time.perf_counter()
    store = prepare(
        path,
        source,
        recordings,
        parse,
        NTU25,
        classes,
        num_workers=WORKERS,
    )
    seconds = time.perf_counter() - begin
    dataset = MotionDataset(
        store, clip_windows(store, range(count)), num_observed=64, num_future=10
    )
    begin = time.perf_counter()
    samples = sum(batch.num_graphs for batch in SkeletonLoader(dataset, BATCH))
    reading = time.perf_counter() - begin
    if samples != count:
        raise AssertionError(f"expected {count} clips, read {samples}")
    memory = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        + WORKERS * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    ) / 2**20
    table = Table(
        f"{count:,} clips of one or two bodies, {len(store.shards)} shards, "
        f"{WORKERS} processes",
        ["what", "measured"],
    )
    size = sum(shard.path.stat().st_size for shard in store.shards)
    table.add("store, GB", size / 2**30)
    table.add("prepared, clips a second", count / seconds)
    table.add("read and stretched, clips a second", count / reading)
    table.add("resident memory of all processes, GB", memory)
    return table, store, memory


def loaded(store: SequenceStore, quick: bool) -> tuple[Table, float]:
    chosen = np.random.default_rng(0).choice(len(store), 200, replace=False)
    table = Table(
        f"Loading batches of {BATCH} windows of 20 + 10 frames",
        ["windows", "PyG's DataLoader, windows a second", "times as fast"],
    )
    lowest = float("inf")
    for bodies in (1, 2):
        sequences = [i for i in sorted(chosen) if store.bodies[i] == bodies]
        windows = all_windows(store, sequences, num_observed=20, num_future=10)[
            : 4 * BATCH
        ]
        dataset = MotionDataset(store, windows, num_observed=20, num_future=10)
        ours, theirs = (
            SkeletonLoader(dataset, BATCH),
            DataLoader(dataset, BATCH),
        )
        for one, other in zip(ours, theirs, strict=True):
            check_equal(one, other)
        times = interleaved(
            {"ours": lambda: list(ours), "theirs": lambda: list(theirs)},  # noqa: B023
            *budget(quick),
        )
        faster = ratios(times, "ours")["theirs"]
        rate = len(dataset) / float(np.median(times["theirs"]))
        table.add(f"{bodies} a sample", round(rate), faster)
        lowest = min(lowest, faster[1])
    return table, lowest


def check_equal(one: Any, other: Any) -> None:
    """Raises AssertionError if two batches differ."""
    first, second = one.to_dict(), other.to_dict()
    assert list(first) == list(second)
    for key, value in first.items():
        same = second[key]
        assert torch.equal(value, same) if key != "skeleton" else value == same


if __name__ == "__main__":
    main()

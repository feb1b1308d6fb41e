"""`SkeletonLoader` against PyG's `DataLoader`, on the same windows.

python -m benchmarks.data
"""

import operator
from statistics import median
from typing import Any

import torch
from torch_geometric.loader import DataLoader

from benchmarks.measure import budget, interleaved, ratios
from benchmarks.report import Table, arguments, targets, write
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import SkeletonArrays

BATCH = 64
OURS, BASE = "SkeletonLoader", "PyG's DataLoader"
TIME = 1 / 10


def main() -> None:
    args = arguments(__doc__)
    table = Table(
        f"Loading batches of {BATCH} windows of 20 + 10 frames, as a ratio to "
        f"{BASE}",
        ["bodies", "loader", "windows per second", "time"],
    )
    aims = []
    for bodies in (1, 2):
        dataset = SkeletonArrays(
            torch.randn(4, bodies, BATCH + 29, 25, 3),
            None,
            "ntu25",
            num_observed=20,
            num_future=10,
        )
        ours: Any = SkeletonLoader(dataset, BATCH)
        theirs: Any = DataLoader(dataset, BATCH)
        for batch, expected in zip(ours, theirs, strict=True):
            check(batch, expected)
        times = interleaved(
            {OURS: lambda: [*ours], BASE: lambda: [*theirs]},  # noqa: B023
            *budget(args.quick),
        )
        relative = ratios(times, BASE)
        for name, seconds in times.items():
            rate = round(len(dataset) / median(seconds))
            table.add(bodies, name, rate, relative[name])
        aims.append((f"time, bodies = {bodies}", relative[OURS][1], TIME))
    write(args, [table, targets(aims)])


def check(batch: Any, expected: Any) -> None:
    """Raises AssertionError if two batches differ."""
    found, expected = batch.to_dict(), expected.to_dict()
    assert [*found] == [*expected]
    for key, value in found.items():
        equal = torch.equal if isinstance(value, torch.Tensor) else operator.eq
        assert equal(value, expected[key]), key


if __name__ == "__main__":
    main()

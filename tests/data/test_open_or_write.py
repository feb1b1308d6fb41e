from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from symgnn_pyg.datasets import (
    SkeletonArrays,
    SyntheticMotion,
    synthetic_motion,
)

MANY = 4


def arrays(folder):
    frames = np.ones((4, 20, 26, 3), dtype=np.float32)
    return SkeletonArrays(
        frames, [0, 1, 0, 1], "cmu26", num_observed=4, num_future=2,
        path=folder / "own.h5",
    )  # fmt: skip


@pytest.mark.parametrize("make", [SyntheticMotion, arrays])
def test_several_at_once_write_one_store(tmp_path, monkeypatch, make):
    """One that wrote it again would take it from those that had opened it."""
    few = {"train": 1, "val": 1, "test": 1}
    monkeypatch.setattr(synthetic_motion, "SPLITS", few)
    barrier = Barrier(MANY)

    def run(_):
        barrier.wait()
        dataset = make(tmp_path)
        barrier.wait()
        return dataset[0].x

    with ThreadPoolExecutor(MANY) as pool:
        first, *others = pool.map(run, range(MANY))
    assert all(first.equal(other) for other in others)
    assert len(list(tmp_path.glob("*.h5"))) == 1

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from symgnn_pyg.datasets import SkeletonArrays, SyntheticMotion
from symgnn_pyg.skeleton import Skeleton

MANY = 4


def synthetic(folder):
    return SyntheticMotion(folder)


def arrays(folder):
    frames = [np.ones((20, 26, 3), dtype=np.float32)] * 4
    return SkeletonArrays(
        frames,
        [0, 1, 0, 1],
        Skeleton.get("cmu26"),
        num_observed=4,
        num_future=2,
        path=folder / "own.h5",
    )


@pytest.mark.parametrize("make", [synthetic, arrays])
def test_several_at_once_write_one_store(tmp_path, make):
    """One that wrote it again would take it from those that had opened it."""
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

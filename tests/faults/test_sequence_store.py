"""Stores that were cut off anywhere are refused, and never read wrong."""

import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.data import MotionSequence, SequenceStore
from symgnn_pyg.data.sequence_shard import SequenceShard
from symgnn_pyg.data.sequence_store import shard_paths
from symgnn_pyg.errors import DataError

ARM = Skeleton(["a", "b"], [(1, 0)])
OFFSETS = 50
RANDOM = np.random.default_rng(0)
SEQUENCES = [
    MotionSequence(str(i), RANDOM.standard_normal((90, 2, 3)).astype("f4"), 0)
    for i in range(4)
]


def offsets(path):
    """From the first byte to the last but one."""
    last = path.stat().st_size - 1
    return np.linspace(0, last, OFFSETS).astype(int).tolist()


@pytest.mark.parametrize("num_shards", [1, 2])
def test_cut_off_before_it_is_opened(tmp_path, num_shards):
    paths = shard_paths(tmp_path / "store.h5", num_shards)
    for i, path in enumerate(paths):
        SequenceShard.write(
            path, SEQUENCES[i::num_shards], ARM, ["x"], num_shards=num_shards
        )
    for path in paths:
        whole = path.read_bytes()
        for offset in offsets(path):
            path.write_bytes(whole[:offset])
            with pytest.raises(DataError, match=path.name):
                SequenceStore(tmp_path / "store.h5")
        path.write_bytes(whole)
    assert len(SequenceStore(tmp_path / "store.h5")) == len(SEQUENCES)


def test_cut_off_while_it_is_open(tmp_path):
    path = tmp_path / "store.h5"
    store = SequenceStore.write(path, SEQUENCES, ARM, ["x"])
    errors = []
    for offset in reversed(offsets(path)):
        with open(path, "r+b") as file:
            file.truncate(offset)
        for i, sequence in enumerate(SEQUENCES):
            try:
                frames = store[i]
            except DataError as error:
                errors.append(str(error))
            else:
                np.testing.assert_array_equal(frames[0], sequence.frames)
    assert len(errors) == OFFSETS * len(SEQUENCES)
    assert all(str(path) in error for error in errors)

import os
import pickle

import numpy as np
import pytest
import torch

from symgnn_pyg import __version__
from symgnn_pyg.data import MotionSequence, SequenceStore
from symgnn_pyg.data.sequence_shard import SequenceShard
from symgnn_pyg.data.sequence_store import shard_paths
from symgnn_pyg.errors import DataError
from tests.data.stored import CLASSES, LENGTHS, SKELETON, sequence


def test_ragged_round_trip(path, sequences):
    store = SequenceStore(path)
    assert len(store) == 3
    assert [store.num_frames(i) for i in range(3)] == list(LENGTHS)
    for i, stored in enumerate(sequences):
        assert store[i].dtype == torch.float32
        np.testing.assert_array_equal(store[i].numpy(), stored.frames[None])


def test_provenance(path):
    store = SequenceStore(path)
    assert store.labels.tolist() == [0, 1, 0]
    assert store.names == ["s7", "s1", "s70"]
    assert store.sources == ["s7.txt", "s1.txt", "s70.txt"]
    assert store.checksums == ["sum7", "sum1", "sum70"]
    assert store.classes == CLASSES
    assert store.skeleton == SKELETON
    assert store.library_version == __version__
    assert repr(store).endswith("sequences=3, frames=78, skeleton='cmu26')")


@pytest.mark.parametrize(
    ("start", "length", "stride"),
    [(0, 70, 1), (3, 5, 2), (69, 1, 9), (1, 23, 3), (5, 0, 1)],
)
def test_read_strides(path, sequences, start, length, stride):
    frames = SequenceStore(path).read(2, start, length, stride)
    rows = [start + k * stride for k in range(length)]
    assert frames.shape == (1, length, 26, 3)
    np.testing.assert_array_equal(frames[0].numpy(), sequences[2].frames[rows])


@pytest.mark.parametrize(
    ("start", "length", "stride"), [(0, 8, 1), (-1, 2, 1), (0, 5, 2), (8, 0, 1)]
)
def test_frames_that_are_not_there(path, start, length, stride):
    with pytest.raises(IndexError, match=r"Sequence 0 \(s7\) has 7 frames"):
        SequenceStore(path).read(0, start, length, stride)


@pytest.mark.parametrize("index", [3, -1])
def test_sequence_that_is_not_there(path, index):
    with pytest.raises(IndexError):
        SequenceStore(path)[index]


def bodies(count, length, name):
    random = np.random.default_rng([count, length])
    frames = random.standard_normal((count, length, 26, 3))
    return MotionSequence(name, frames.astype(np.float32), 0)


def test_several_bodies(tmp_path):
    sequences = [bodies(2, 5, "a"), bodies(1, 4, "b"), bodies(3, 2, "c")]
    store = SequenceStore.write(tmp_path / "s.h5", sequences, SKELETON, ["x"])
    assert store.bodies.tolist() == [2, 1, 3]
    assert store.lengths.tolist() == [5, 4, 2]
    for i, stored in enumerate(sequences):
        np.testing.assert_array_equal(store[i].numpy(), stored.frames)
    np.testing.assert_array_equal(
        store.read(0, 1, 2, 2).numpy(), sequences[0].frames[:, 1:4:2]
    )


def write_shards(path, sequences):
    """Dealt out in turn, as they are prepared."""
    for i, file in enumerate(shard_paths(path, 2)):
        SequenceShard.write(
            file, sequences[i::2], SKELETON, CLASSES, num_shards=2
        )


def test_shards(tmp_path, sequences):
    write_shards(tmp_path / "s.h5", sequences)
    store = SequenceStore(tmp_path / "s.h5")
    assert store.names == ["s7", "s70", "s1"]
    assert [store.shard(i) for i in range(3)] == [0, 0, 1]
    for i, stored in enumerate([sequences[0], sequences[2], sequences[1]]):
        np.testing.assert_array_equal(store[i][0].numpy(), stored.frames)


def test_a_store_that_is_called_like_a_shard(tmp_path, sequences):
    other = tmp_path / "s-00007.h5"
    SequenceStore.write(other, sequences, SKELETON, CLASSES)
    with pytest.raises(FileNotFoundError, match=r"s\.h5"):
        SequenceStore(tmp_path / "s.h5")
    write_shards(tmp_path / "s.h5", sequences)
    assert len(SequenceStore(tmp_path / "s.h5").shards) == 2
    assert SequenceStore(other).names == ["s7", "s1", "s70"]


def test_shards_that_do_not_belong_together(tmp_path, sequences):
    path = tmp_path / "s.h5"
    write_shards(path, sequences)
    _, second = shard_paths(path, 2)
    third = second.with_name("s-00002.h5")
    SequenceShard.write(third, sequences, SKELETON, CLASSES, num_shards=2)
    with pytest.raises(DataError, match=r"there are 3, .* one of 2"):
        SequenceStore(path)
    third.unlink()
    second.unlink()
    with pytest.raises(DataError, match=r"there are 1, .* one of 2"):
        SequenceStore(path)


def test_pickle_leaves_the_handle_behind(path, sequences):
    store = SequenceStore(path)
    store[0]
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again[2][0].numpy(), sequences[2].frames)
    assert torch.equal(store[2], again[2])


def test_write_that_fails_half_way(path, sequences):
    before = path.read_bytes()

    def broken():
        yield sequences[0]
        raise RuntimeError("lost connection")

    with pytest.raises(RuntimeError, match="lost connection"):
        SequenceStore.write(path, broken(), SKELETON, CLASSES)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def spoiled(**changes):
    return sequence(5, name="bad")._replace(**changes)


def frames_with(value):
    frames = np.zeros((5, 26, 3))
    frames[3, 25, 2] = value
    return frames


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (spoiled(frames=frames_with(np.nan)), r"bad\.txt: frame 3 "),
        (spoiled(frames=frames_with(-np.inf)), r"bad\.txt: frame 3 "),
        (spoiled(frames=frames_with(1e300)), r"bad\.txt: frame 3 "),
        (
            spoiled(frames=np.zeros((5, 25, 3))),
            r"bad\.txt: .*\[5, 25, 3\].*\[T, 26, C\]",
        ),
        (spoiled(frames=np.zeros((5, 26))), r"bad\.txt: .*\[5, 26\]"),
        (spoiled(frames=np.zeros((0, 26, 3))), r"bad\.txt: .*\[0, 26, 3\]"),
        (spoiled(frames=np.zeros((5, 26, 2))), r"bad\.txt: 2 channels"),
        (spoiled(label=2), r"bad\.txt: label 2 .* 2 classes"),
        (spoiled(label=-1), r"bad\.txt: label -1"),
        (spoiled(source="", label=9), r"^bad: label 9"),
    ],
    ids=["nan", "inf", "overflow", "joints", "dims", "empty", "channels",
         "label", "negative", "no source"],
)  # fmt: skip
def test_bad_sequence(tmp_path, bad, message):
    with pytest.raises(DataError, match=message):
        SequenceStore.write(
            tmp_path / "new.h5", [sequence(2), bad], SKELETON, CLASSES
        )
    assert not os.listdir(tmp_path)


def test_nothing_to_store(tmp_path):
    with pytest.raises(DataError, match="no sequences"):
        SequenceStore.write(tmp_path / "new.h5", [], SKELETON, CLASSES)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["absent.h5", "."])
def test_no_file(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=str(tmp_path / name)):
        SequenceStore(tmp_path / name)


@pytest.mark.parametrize("pickled", [False, True])
def test_written_anew_by_another_process(path, pickled):
    store = SequenceStore(path)
    if pickled:
        store = pickle.loads(pickle.dumps(store))
    SequenceStore.write(path, [sequence(9)], SKELETON, CLASSES)
    with pytest.raises(DataError, match=r"store\.h5 has changed since it was"):
        store.read(0, 0, 2)


def test_cut_off_while_it_is_read(path):
    store = SequenceStore(path)
    store[1]
    os.truncate(path, 700)
    with pytest.raises(DataError, match=r"store\.h5 has become shorter"):
        store[2]


def test_written_anew_while_it_is_read(path, sequences):
    """What has a handle goes on with the old file."""
    store = SequenceStore(path)
    store[1]
    SequenceStore.write(path, [sequence(9)], SKELETON, CLASSES)
    np.testing.assert_array_equal(store[0][0], sequences[0].frames)

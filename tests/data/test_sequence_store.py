import json
import math
import os
import pickle
import re
import struct
import tracemalloc

import h5py
import numpy as np
import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg import Skeleton, __version__
from symgnn_pyg.data import MotionSequence, SequenceStore
from symgnn_pyg.data.sequence_shard import SequenceShard
from symgnn_pyg.data.sequence_store import shard_paths
from symgnn_pyg.datasets import MotionDataset, Window
from symgnn_pyg.errors import DataError

SKELETON = Skeleton.get("cmu26")
CLASSES = ["walk", "run"]
LENGTHS = (7, 1, 70)
HUGE = [[10**400] * 3] * 26


def sequence(length, label=0, name=None):
    random = np.random.default_rng(length)
    frames = random.standard_normal((length, 26, 3)).astype(np.float32)
    name = name or f"s{length}"
    return MotionSequence(name, frames, label, f"{name}.txt", f"sum{length}")


@pytest.fixture(scope="module")
def sequences():
    return [sequence(n, i % 2) for i, n in enumerate(LENGTHS)]


@pytest.fixture
def path(tmp_path, sequences):
    path = tmp_path / "store.h5"
    SequenceStore.write(path, iter(sequences), SKELETON, CLASSES)
    return path


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


def test_a_spawned_worker_reads_the_same(path):
    dataset = MotionDataset(
        SequenceStore(path),
        [Window(2, i) for i in range(0, 60, 10)],
        num_observed=4,
        num_future=2,
    )
    here = torch.cat([batch.x for batch in DataLoader(dataset, 2)])
    loader = DataLoader(
        dataset, 2, num_workers=1, multiprocessing_context="spawn"
    )
    assert torch.equal(torch.cat([batch.x for batch in loader]), here)


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


def test_foreign_version(path):
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(DataError, match=r"store\.h5 has format version 99"):
        SequenceStore(path)


@pytest.mark.parametrize("content", [b"", b"text\n", bytes(4096)])
def test_not_hdf5(tmp_path, content):
    path = tmp_path / "other.h5"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"other\.h5"):
        SequenceStore(path)


def test_foreign_hdf5(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["frames"] = np.zeros((2, 26, 3))
    with pytest.raises(DataError, match=r"other\.h5 .*not a sequence store"):
        SequenceStore(tmp_path / "other.h5")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_zeroed_tail(path, share):
    whole = path.read_bytes()
    cut = int(share * len(whole))
    path.write_bytes(whole[:cut] + bytes(len(whole) - cut))
    try:
        store = SequenceStore(path)
    except DataError:
        return
    assert [store[i].size(1) for i in range(len(store))] == list(LENGTHS)


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


def soft(file, path):
    file["elsewhere"] = file["labels"][:]
    del file["labels"]
    file["labels"] = h5py.SoftLink("/elsewhere")


def external_link(file, path):
    other = path.with_name("other.h5")
    with h5py.File(other, "w") as target:
        target["labels"] = np.zeros(3, "<i8")
    del file["labels"]
    file["labels"] = h5py.ExternalLink(str(other), "/labels")


def virtual(file, path):
    other = path.with_name("other.h5")
    with h5py.File(other, "w") as target:
        target["frames"] = np.zeros((78, 26, 3), "<f4")
    layout = h5py.VirtualLayout((78, 26, 3), "<f4")
    layout[:] = h5py.VirtualSource(str(other), "frames", (78, 26, 3))
    del file["frames"]
    file.create_virtual_dataset("frames", layout)


def external_storage(file, path):
    raw = path.with_name("raw.bin")
    raw.write_bytes(bytes(3 * 8))
    del file["labels"]
    file.create_dataset("labels", (3,), "<i8", external=[(str(raw), 0, 3 * 8)])


def objects(file, path):
    del file["labels"]
    kind = h5py.string_dtype()
    file.create_dataset("labels", data=["a", "b", "c"], dtype=kind)


def group(file, path):
    del file["labels"]
    file.create_group("labels")


def missing(file, path):
    del file["labels"]


def floats(file, path):
    del file["labels"]
    file["labels"] = np.zeros(3)


def never_written(file, path):
    """A billion frames that take no room."""
    del file["frames"]
    file.create_dataset("frames", (10**9, 26, 3), "<f4")


def chunked(file, path):
    frames = file["frames"][:]
    del file["frames"]
    file.create_dataset("frames", data=frames, chunks=(8, 26, 3))


def compact(file, path):
    """In the header, where no offset leads."""
    frames = np.zeros((78, 26, 3), "<f4")[:, :, :1]
    del file["frames"]
    kind = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    kind.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(frames.shape)
    created = (b"frames", h5py.h5t.IEEE_F32LE, space, kind)
    h5py.h5d.create(file.id, *created).write(
        h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(frames)
    )


def double(file, path):
    frames = file["frames"][:]
    del file["frames"]
    file["frames"] = frames.astype("<f8")


LABELS = (
    soft, external_link, external_storage, objects, group, missing, floats,
)  # fmt: skip
FRAMES = (virtual, never_written, chunked, compact, double)


@pytest.mark.parametrize("spoil", [*LABELS, *FRAMES])
def test_foreign_arrays_are_refused(path, spoil):
    name = "labels" if spoil in LABELS else "frames"
    with h5py.File(path, "r+") as file:
        spoil(file, path)
    with pytest.raises(DataError, match=rf"store\.h5: '{name}'"):
        SequenceStore(path)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ptr", [0, 7, 8, 77]),
        ("ptr", [0, 8, 7, 78]),
        ("ptr", [1, 7, 8, 78]),
        ("ptr", [0, 7, 78]),
        ("ptr", [0, 2**63 - 1, -(2**63) + 77, 78]),
        ("bodies", [1, 1, 3]),
        ("bodies", [1, 0, 1]),
        ("bodies", [1, 1]),
        ("labels", [0, 1, 2]),
        ("labels", [0, 1, -1]),
    ],
)
def test_contradicting_tables(path, name, values):
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = np.asarray(values, "<i8")
    with pytest.raises(DataError, match=r"store\.h5.*contradict"):
        SequenceStore(path)


def rewrite_metadata(path, change):
    with h5py.File(path, "r+") as file:
        metadata = json.loads(bytes(file["metadata"][:]))
        text = change(metadata)
        if not isinstance(text, bytes):
            text = json.dumps(text).encode()
        del file["metadata"]
        file["metadata"] = np.frombuffer(text, "u1")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: b"{not json",
        lambda m: b"\xff\xfe",
        lambda m: [],
        lambda m: {**m, "names": 5},
        lambda m: {**m, "names": ["one"]},
        lambda m: {k: v for k, v in m.items() if k != "skeleton"},
        lambda m: {**m, "skeleton": Skeleton.get("ntu25").to_dict()},
        lambda m: {**m, "skeleton": {**m["skeleton"], "bones": [[0, 99]]}},
        lambda m: {**m, "skeleton": {**m["skeleton"], "parts": ["all"]}},
        lambda m: {**m, "skeleton": {**m["skeleton"], "offsets": HUGE}},
        lambda m: {**m, "num_shards": math.inf},
        lambda m: {**m, "names": [{}, "b", "c"]},
        lambda m: {**m, "classes": ["walk", "\x1b[2J"]},
        lambda m: {**m, "skipped": {"a.npy": "\x9b31m"}},
    ],
    ids=["text", "bytes", "list", "number", "few", "no skeleton",
         "other skeleton", "bad bone", "list of parts", "huge offsets",
         "endless shards", "objects", "escapes", "escapes in a reason"],
)  # fmt: skip
def test_spoiled_metadata(path, change):
    rewrite_metadata(path, change)
    with pytest.raises(DataError, match=r"store\.h5"):
        SequenceStore(path)


def test_reasons_may_have_lines(tmp_path, sequences):
    path = tmp_path / "store.h5"
    SequenceShard.write(
        path, sequences, SKELETON, CLASSES, faulty={"a.npy": "one\ntwo"}
    )
    assert SequenceStore(path).skipped == {"a.npy": "one\ntwo"}


def test_names_with_control_characters_are_not_written(tmp_path):
    bad = sequence(3, name="\x1b[2J")
    with pytest.raises(DataError, match="control characters"):
        SequenceStore.write(tmp_path / "a.h5", [bad], SKELETON, CLASSES)
    assert not any(tmp_path.iterdir())


def rewrite_attribute(path, name, values, kind):
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
        file.attrs.create(name, values, dtype=kind)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("format", "symgnn_pyg sequences", h5py.string_dtype()),
        ("format", [b"symgnn_pyg sequences"], None),
        ("format", b"symgnn_pyg sequences".ljust(65), "S65"),
        ("format", 5, None),
        ("version", [2, 2], None),
        ("version", 2.0, None),
        ("version", "2", h5py.string_dtype()),
        ("version", h5py.Empty("i8"), None),
    ],
)
def test_foreign_attributes_are_refused(path, name, values, kind):
    rewrite_attribute(path, name, values, kind)
    with pytest.raises(DataError, match=r"store\.h5 (is an HDF5|has format)"):
        SequenceStore(path)


def test_types_within_types(path, monkeypatch):
    """Which h5py makes by the square of their depth: 8 GB of 50 KB."""
    kind = h5py.h5t.vlen_create(h5py.h5t.vlen_create(h5py.h5t.NATIVE_INT8))
    with h5py.File(path, "r+") as file:
        del file["frames"]
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5d.create(file.id, b"frames", kind, space)
    made = property(lambda array: pytest.fail("The type is made"))
    monkeypatch.setattr(h5py.Dataset, "dtype", made)
    with pytest.raises(DataError, match="'frames' is not a plain array"):
        SequenceStore(path)


def _address(content, at):
    return struct.unpack_from("<Q", content, at)[0]


def test_attributes_that_take_all_memory(path):
    """Two hundred times the same text, which lies in the file once."""
    size, count = 2**18, 200
    texts = np.array(
        [b"x" * size, *[b"%07d" % i for i in range(1, count)]], "O"
    )
    rewrite_attribute(path, "format", texts, h5py.string_dtype())
    content = bytearray(path.read_bytes())
    # A reference is its length, the address of a heap, and a number.
    (at,) = (
        found.start()
        for found in re.finditer(re.escape(struct.pack("<I", size)), content)
        if content[_address(content, found.end()) :][:4] == b"GCOL"
    )
    content[at : at + 16 * count] = content[at : at + 16] * count
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DataError, match="not a sequence store"):
        SequenceStore(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * size

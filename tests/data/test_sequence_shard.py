import json
import math
import re
import struct
import tracemalloc

import h5py
import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SequenceStore
from symgnn_pyg.data.sequence_shard import SequenceShard
from symgnn_pyg.errors import DataError
from tests.data.stored import CLASSES, LENGTHS, SKELETON, sequence

HUGE = [[10**400] * 3] * 26


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


def missing(file, path):
    del file["labels"]


def group(file, path):
    del file["labels"]
    file.create_group("labels")


def remade(name, *shape, **given):
    """Makes an array anew with these arguments."""

    def spoil(file, path):
        del file[name]
        file.create_dataset(name, *shape, **given)

    return spoil


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


ZEROS = np.zeros((78, 26, 3), "<f4")
LABELS = {
    "soft link": soft, "external link": external_link,
    "external storage": external_storage, "group": group, "missing": missing,
    "objects": remade("labels", data=["a"] * 3, dtype=h5py.string_dtype()),
    "floats": remade("labels", data=np.zeros(3)),
}  # fmt: skip
FRAMES = {
    "virtual": virtual, "compact": compact,
    # A billion frames that take no room.
    "never written": remade("frames", (10**9, 26, 3), "<f4"),
    "chunked": remade("frames", data=ZEROS, chunks=(8, 26, 3)),
    "double": remade("frames", data=ZEROS.astype("<f8")),
}  # fmt: skip


@pytest.mark.parametrize("kind", [*LABELS, *FRAMES])
def test_foreign_arrays_are_refused(path, kind):
    name, spoil = (
        ("labels", LABELS[kind]) if kind in LABELS else ("frames", FRAMES[kind])
    )
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

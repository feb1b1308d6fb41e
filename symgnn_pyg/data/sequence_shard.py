import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from symgnn_pyg import __version__
from symgnn_pyg.data.motion_sequence import MotionSequence, check_sequence
from symgnn_pyg.errors import DataError, check_names
from symgnn_pyg.files import replacing, resolved
from symgnn_pyg.io.hdf5 import opened, plain_array
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.typing import UNLABELLED

FORMAT = "symgnn_pyg sequences"
FORMAT_VERSION = 2
ARRAYS = {"frames": ("f", 3), "ptr": ("i", 1), "bodies": ("i", 1),
          "labels": ("i", 1), "metadata": ("u", 1)}  # fmt: skip
# The size of a header's entry, in bytes.
MOST_ATTRIBUTE = 64


class SequenceShard:
    r"""One HDF5 file of a :class:`~symgnn_pyg.data.SequenceStore`. Each
    sequence is :math:`B \cdot T` rows of :math:`[V, C]` numbers, the bodies
    one after the other, in one contiguous array, so that a window can be read
    directly from its offset in the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = resolved(path)
        self._file: BinaryIO | None = None
        self._pid = -1
        if not self.path.is_file():
            raise FileNotFoundError(f"There is no store {self.path}")
        self._identity = _identity(self.path.stat())
        fault = (
            f"{self.path} cannot be read as a sequence store; delete it and "
            f"prepare the data again"
        )
        with opened(self.path, fault) as file:
            _check(file, self.path)
            frames = file["frames"]
            self.row = frames.shape[1:]
            metadata = json.loads(bytes(file["metadata"][:]))
            _check_text(metadata, self.path)
            # Checked first, since making a huge skeleton takes long.
            if len(metadata["skeleton"]["joints"]) != self.row[0]:
                raise DataError(
                    f"{self.path}: its tables contradict each other"
                )
            self.ptr = file["ptr"][:].astype(np.int64)
            self.bodies = file["bodies"][:].astype(np.int64)
            self.labels = file["labels"][:].astype(np.int64)
            self.skeleton = Skeleton(**metadata["skeleton"])
            self.classes: list[str] = list(metadata["classes"])
            self.names: list[str] = list(metadata["names"])
            self.sources: list[str] = list(metadata["sources"])
            self.checksums: list[str] = list(metadata["sha256"])
            self.skipped: dict[str, str] = dict(metadata["skipped"])
            self.faulty: dict[str, str] = dict(metadata["faulty"])
            self.recipe = str(metadata["recipe"])
            self.num_shards = int(metadata["num_shards"])
            self.library_version = str(metadata["library_version"])
            # An array without rows has no offset in the file.
            self._offset = frames.id.get_offset() or 0
            self._row_bytes = 4 * self.row[0] * self.row[1]
            _check_lengths(self, frames.shape[0])

    @staticmethod
    def write(
        path: str | os.PathLike[str],
        sequences: Iterable[MotionSequence],
        skeleton: Skeleton,
        classes: Iterable[str],
        skipped: Mapping[str, str] | None = None,
        faulty: Mapping[str, str] | None = None,
        recipe: str = "",
        num_shards: int = 1,
    ) -> "SequenceShard":
        r"""Writes a shard and opens it. The file is replaced only when it is
        complete: a killed process leaves the previous file unchanged.
        """
        classes = list(classes)
        rows: list[np.ndarray] = []
        bodies: list[int] = []
        entries: list[MotionSequence] = []
        for sequence in sequences:
            values = check_sequence(sequence, skeleton, len(classes))
            if rows and values.shape[3] != rows[0].shape[2]:
                raise DataError(
                    f"{sequence.source or sequence.name}: {values.shape[3]} "
                    f"channels, but the sequences before have "
                    f"{rows[0].shape[2]}"
                )
            rows.append(values.reshape(-1, *values.shape[2:]))
            bodies.append(len(values))
            entries.append(sequence._replace(frames=np.empty(0)))
        metadata = {
            "library_version": __version__,
            "skeleton": skeleton.to_dict(),
            "classes": classes,
            "names": [entry.name for entry in entries],
            "sources": [entry.source for entry in entries],
            "sha256": [entry.sha256 for entry in entries],
            "skipped": dict(skipped or {}),
            "faulty": dict(faulty or {}),
            "recipe": recipe,
            "num_shards": num_shards,
        }
        _check_text(metadata, path)
        # In memory, since HDF5 may crash the interpreter on a full disk.
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            file["ptr"] = np.cumsum([0, *map(len, rows)], dtype="<i8")
            file["bodies"] = np.asarray(bodies, "<i8")
            file["labels"] = np.asarray([e.label for e in entries], "<i8")
            file["metadata"] = np.frombuffer(
                json.dumps(metadata).encode(), "u1"
            )
            width = rows[0].shape[2] if rows else 0
            frames = file.create_dataset(
                "frames",
                (sum(map(len, rows)), skeleton.num_joints, width),
                "<f4",
            )
            # Each sequence is freed once it is written.
            last = len(frames)
            while rows:
                values = rows.pop()
                frames[last - len(values) : last] = values
                last -= len(values)
            file.attrs["format"] = np.bytes_(FORMAT)
            file.attrs["version"] = FORMAT_VERSION
        with replacing(path) as temporary:
            temporary.write_bytes(content.getbuffer())
        return SequenceShard(path)

    def read_into(self, out: np.ndarray, row: int, stride: int = 1) -> None:
        r"""Fills an array with rows of the file.

        Args:
            out: A contiguous array of shape :math:`[R, V, C]`.
            row: The first row.
            stride: The distance from one row to the next.
                (default: :obj:`1`)
        """
        if len(out) == 0:
            return
        if stride > 1:
            # Reading the rows in between is faster than seeking.
            between = (len(out) - 1) * stride + 1
            span = np.empty((between, *out.shape[1:]), out.dtype)
            self.read_into(span, row)
            out[:] = span[::stride]
            return
        try:
            file = self._open()
            file.seek(self._offset + row * self._row_bytes)
            count = file.readinto(out)  # type: ignore[attr-defined]
        except OSError as e:
            raise DataError(f"{self.path} cannot be read: {e}") from e
        if count != out.nbytes:
            raise DataError(
                f"{self.path} has become shorter; prepare the data again"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_pid": -1}

    def __del__(self) -> None:
        file = self.__dict__.get("_file")
        if file is not None:
            file.close()

    def _open(self) -> BinaryIO:
        # A handle inherited by fork shares its offset with the parent's.
        if self._file is None or self._pid != os.getpid():
            file = open(self.path, "rb", buffering=0)  # noqa: SIM115
            if _identity(os.fstat(file.fileno())) != self._identity:
                file.close()
                raise DataError(
                    f"{self.path} has changed since it was opened; open it "
                    f"again"
                )
            self._file, self._pid = file, os.getpid()
        return self._file


def _check(file: h5py.File, path: Path) -> None:
    if _attribute(file, "format", h5py.h5t.STRING) != FORMAT.encode():
        raise DataError(f"{path} is an HDF5 file, but not a sequence store")
    version = _attribute(file, "version", h5py.h5t.INTEGER)
    if version != FORMAT_VERSION:
        raise DataError(
            f"{path} has format version {version}, this library reads "
            f"version {FORMAT_VERSION}; delete it and prepare the data again"
        )
    for name, (kind, dims) in ARRAYS.items():
        array = plain_array(file, name, path)
        if array.chunks or array.dtype.kind != kind or array.ndim != dims:
            raise DataError(f"{path}: {name!r} is not what a store holds")
        size = array.size * array.dtype.itemsize
        end = (array.id.get_offset() or 0) + size
        if array.id.get_storage_size() < size or end > path.stat().st_size:
            raise DataError(
                f"{path}: {name!r} declares more data than the file holds; "
                f"it is truncated"
            )
    frames = file["frames"]
    # A compact array is stored in its header and has no offset.
    compact = frames.size and frames.id.get_offset() is None
    if compact or frames.dtype != np.dtype("<f4"):
        raise DataError(f"{path}: 'frames' is not what a store holds")


def _attribute(file: h5py.File, name: str, kind: int) -> object:
    if not h5py.h5a.exists(file.id, name.encode()):
        return None
    attribute = h5py.h5a.open(file.id, name.encode())
    found = attribute.get_type()
    # Reading variable-length text or nested types can exhaust memory.
    if (
        attribute.shape
        or found.get_class() != kind
        or found.get_size() > MOST_ATTRIBUTE
        or (kind == h5py.h5t.STRING and found.is_variable_str())
    ):
        return None
    return file.attrs[name]


def _check_text(
    metadata: Mapping[str, Any], path: str | os.PathLike[str]
) -> None:
    reasons = {**metadata["skipped"], **metadata["faulty"]}
    check_names(
        [
            metadata["library_version"],
            *metadata["classes"],
            *metadata["names"],
            *metadata["sources"],
            *reasons,
            *(line for why in reasons.values() for line in why.split("\n")),
        ],
        f"{path}: the text",
    )


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_lengths(shard: SequenceShard, num_rows: int) -> None:
    count, ptr = len(shard.labels), shard.ptr
    tables: Sequence[Sequence[object]] = (
        shard.names, shard.sources, shard.checksums, shard.bodies, ptr[:-1],
    )  # fmt: skip
    if (
        any(len(table) != count for table in tables)
        or ptr[0] != 0
        or ptr[-1] != num_rows
        or (ptr[1:] <= ptr[:-1]).any()
        or (shard.bodies < 1).any()
        or (np.diff(ptr) % shard.bodies).any()
        or (shard.labels[shard.labels != UNLABELLED] < 0).any()
        or (shard.labels >= len(shard.classes)).any()
        or shard.num_shards < 1
    ):
        raise DataError(f"{shard.path}: its tables contradict each other")

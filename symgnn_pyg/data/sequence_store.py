import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import torch
from torch import Tensor

from symgnn_pyg import __version__
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import replacing
from symgnn_pyg.skeleton import Skeleton

FORMAT = "symgnn_pyg sequences"
FORMAT_VERSION = 1
ARRAYS = {"frames": ("f", 3), "ptr": ("i", 1), "labels": ("i", 1),
          "metadata": ("u", 1)}  # fmt: skip


class MotionSequence(NamedTuple):
    r"""A sequence to store.

    Args:
        name: What to call it, different for each sequence of a store.
        frames: The frames, of shape :math:`[T, V, C]`.
        label: The index of its class.
        source: The file that it was read from.
        sha256: The checksum of that file.
    """

    name: str
    frames: np.ndarray
    label: int
    source: str = ""
    sha256: str = ""


class SequenceStore:
    r"""Sequences of one skeleton in one HDF5 file: of any length each, with
    their labels, the skeleton and where they came from. Frames are read from
    the file when they are asked for, by each worker process through a handle
    of its own.

    Args:
        path: The file, as :meth:`write` made it.

    Raises:
        DataError: If the file is no store, of another version, truncated, or
            holds anything that a store does not: links, virtual or external
            data, Python objects.
        FileNotFoundError: If there is no such file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file: h5py.File | None = None
        self._pid = -1
        if not self.path.is_file():
            raise FileNotFoundError(f"There is no store {self.path}")
        with self._explained():
            file = self._open()
            _check(file, self.path)
            metadata = json.loads(bytes(file["metadata"][:]))
            self.ptr = torch.from_numpy(file["ptr"][:].astype(np.int64))
            self.labels = torch.from_numpy(file["labels"][:].astype(np.int64))
            self.skeleton = Skeleton(**metadata["skeleton"])
            self.classes: list[str] = list(metadata["classes"])
            self.names: list[str] = list(metadata["names"])
            self.sources: list[str] = list(metadata["sources"])
            self.checksums: list[str] = list(metadata["sha256"])
            self.library_version: str = metadata["library_version"]
            _check_lengths(self, file)

    @staticmethod
    def write(
        path: str | os.PathLike[str],
        sequences: Iterable[MotionSequence],
        skeleton: Skeleton,
        classes: Iterable[str],
    ) -> "SequenceStore":
        r"""Writes a store and opens it. The file appears when it is complete:
        a process that is killed half-way leaves what was there before.

        Args:
            path: The file to write.
            sequences: The sequences; a generator is drawn from one by one.
            skeleton: Their skeleton.
            classes: The names of the classes.

        Raises:
            DataError: If a sequence does not fit the skeleton, holds numbers
                that are not finite, or has an unknown label.
        """
        with replacing(path) as temporary, h5py.File(temporary, "w") as file:
            _write(file, sequences, skeleton, list(classes))
        return SequenceStore(path)

    def __len__(self) -> int:
        return self.labels.numel()

    def __getitem__(self, index: int) -> Tensor:
        r"""The frames of a sequence, of shape :math:`[T, V, C]`."""
        return self.read(index, 0, self.num_frames(index))

    def num_frames(self, index: int) -> int:
        r"""The number of frames of a sequence."""
        return int(self.ptr[index + 1] - self.ptr[index])

    def read(
        self, index: int, start: int, length: int, stride: int = 1
    ) -> Tensor:
        r"""Some frames of a sequence, of shape :math:`[T, V, C]`.

        Args:
            index: The sequence.
            start: The first frame.
            length: The number of frames.
            stride: The distance of one frame to the next. (default: :obj:`1`)

        Raises:
            IndexError: If the sequence does not have those frames.
            ValueError: If :obj:`length` is negative or :obj:`stride` smaller
                than 1.
        """
        if length < 0 or stride < 1:
            raise ValueError(
                f"'length' must not be negative and 'stride' at least 1, got "
                f"{length} and {stride}"
            )
        end = start + (length - 1) * stride + 1 if length else start
        if not 0 <= start <= end <= self.num_frames(index):
            raise IndexError(
                f"Sequence {index} ({self.names[index]}) has "
                f"{self.num_frames(index)} frames, asked for {start}..{end}"
            )
        offset = int(self.ptr[index])
        with self._explained():
            frames = self._open()["frames"]
            return torch.from_numpy(
                frames[offset + start : offset + end : stride]
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_pid": -1}

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({str(self.path)!r}, "
            f"sequences={len(self)}, frames={int(self.ptr[-1])}, "
            f"skeleton={self.skeleton.name!r})"
        )

    def _open(self) -> h5py.File:
        # A handle that was inherited by fork shares its offset: open anew.
        if self._file is None or self._pid != os.getpid():
            self._file = h5py.File(self.path, "r", locking=False)
            self._pid = os.getpid()
        return self._file

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except (
            AttributeError,
            KeyError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as e:
            raise DataError(
                f"{self.path} is no readable sequence store ({e}); delete it "
                f"and prepare the data again"
            ) from e


def _write(
    file: h5py.File,
    sequences: Iterable[MotionSequence],
    skeleton: Skeleton,
    classes: list[str],
) -> None:
    frames: h5py.Dataset | None = None
    ptr, labels = [0], []
    names: list[str] = []
    sources: list[str] = []
    checksums: list[str] = []
    for sequence in sequences:
        values = np.asarray(sequence.frames, dtype=np.float32)
        _check_sequence(sequence, values, skeleton, classes)
        if frames is None:
            frames = file.create_dataset(
                "frames",
                shape=(0, *values.shape[1:]),
                maxshape=(None, *values.shape[1:]),
                chunks=(64, *values.shape[1:]),
                dtype="<f4",
            )
        if values.shape[1:] != frames.shape[1:]:
            raise DataError(
                f"{sequence.source or sequence.name}: {values.shape[2]} "
                f"channels, but the sequences before have {frames.shape[2]}"
            )
        frames.resize(ptr[-1] + len(values), axis=0)
        frames[ptr[-1] :] = values
        ptr.append(ptr[-1] + len(values))
        labels.append(sequence.label)
        names.append(sequence.name)
        sources.append(sequence.source)
        checksums.append(sequence.sha256)
    if frames is None:
        raise DataError("There are no sequences to store")
    metadata = {
        "library_version": __version__,
        "skeleton": skeleton.to_dict(),
        "classes": classes,
        "names": names,
        "sources": sources,
        "sha256": checksums,
    }
    file["ptr"] = np.asarray(ptr, dtype="<i8")
    file["labels"] = np.asarray(labels, dtype="<i8")
    file["metadata"] = np.frombuffer(json.dumps(metadata).encode(), "u1")
    file.attrs["format"] = np.bytes_(FORMAT)
    file.attrs["version"] = FORMAT_VERSION


def _check_sequence(
    sequence: MotionSequence,
    values: np.ndarray,
    skeleton: Skeleton,
    classes: list[str],
) -> None:
    where = sequence.source or sequence.name
    shape = values.shape
    if len(shape) != 3 or shape[1] != skeleton.num_joints or shape[0] == 0:
        raise DataError(
            f"{where}: frames of shape {list(shape)} do not fit "
            f"[T, {skeleton.num_joints}, C] of {skeleton!r}"
        )
    bad = ~np.isfinite(values).all(axis=(1, 2))
    if bad.any():
        raise DataError(
            f"{where}: frame {int(bad.argmax())} holds a number that is not "
            f"finite"
        )
    if not 0 <= sequence.label < len(classes):
        raise DataError(
            f"{where}: label {sequence.label} is none of the {len(classes)} "
            f"classes"
        )


def _check(file: h5py.File, path: Path) -> None:
    kind = file.attrs.get("format")
    if not isinstance(kind, bytes) or kind.decode("latin1") != FORMAT:
        raise DataError(f"{path} is an HDF5 file, but no sequence store")
    version = int(file.attrs["version"])
    if version != FORMAT_VERSION:
        raise DataError(
            f"{path} has format version {version}, this library reads "
            f"version {FORMAT_VERSION}; delete it and prepare the data again"
        )
    for name, (kind, dims) in ARRAYS.items():
        # Links and foreign layouts can reach other files of this machine.
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise DataError(f"{path}: {name!r} is missing or a link")
        array = file[name]
        if (
            not isinstance(array, h5py.Dataset)
            or array.is_virtual
            or array.external
            or array.dtype.kind != kind
            or array.ndim != dims
        ):
            raise DataError(f"{path}: {name!r} is not what a store holds")
        size = array.size * array.dtype.itemsize
        if array.id.get_storage_size() < size or size > path.stat().st_size:
            raise DataError(
                f"{path}: {name!r} declares more data than the file holds; "
                f"it is truncated"
            )


def _check_lengths(store: SequenceStore, file: h5py.File) -> None:
    count = len(store)
    sizes = (store.names, store.sources, store.checksums)
    ptr = store.ptr
    if (
        any(len(entries) != count for entries in sizes)
        or ptr.numel() != count + 1
        or int(ptr[0]) != 0
        or int(ptr[-1]) != file["frames"].shape[0]
        or bool((ptr.diff() <= 0).any())
        or file["frames"].shape[1] != store.skeleton.num_joints
        or bool((store.labels < 0).any())
        or bool((store.labels >= len(store.classes)).any())
    ):
        raise DataError(f"{store.path}: its tables contradict each other")

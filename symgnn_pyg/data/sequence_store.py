import glob
import os
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from symgnn_pyg.data.motion_sequence import MotionSequence
from symgnn_pyg.data.sequence_shard import SequenceShard
from symgnn_pyg.errors import DataError, check_sizes
from symgnn_pyg.files import resolved
from symgnn_pyg.skeleton import Skeleton


class SequenceStore:
    r"""Sequences of one skeleton in one HDF5 file or in several shards: of
    any length and any number of bodies each, with their labels, the skeleton
    and where they came from. Frames are read from the files on demand, by each
    worker process through its own handle.

    Args:
        path: The file :obj:`name.h5`; it may be split into the shards
            :obj:`name-00000.h5`, :obj:`name-00001.h5`, ...

    Raises:
        DataError: If a file is not a store, of another version, truncated, or
            holds anything that a store does not: links, virtual or external
            data, Python objects; or if shards are absent or do not belong
            together.
        FileNotFoundError: If there is no such store.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = resolved(path)
        shards = [] if self.path.is_file() else find_shards(self.path)
        self.shards = shards or [SequenceShard(self.path)]
        first = self.shards[0]
        self.skeleton: Skeleton = first.skeleton
        self.classes: list[str] = first.classes
        self.library_version: str = first.library_version
        self.skipped: dict[str, str] = {}
        for shard in self.shards:
            self.skipped |= shard.skipped | shard.faulty
        self._check_shards()
        counts = [len(shard.labels) for shard in self.shards]
        self._first = [0, *accumulate(counts)]
        labels = np.concatenate([shard.labels for shard in self.shards])
        bodies = np.concatenate([shard.bodies for shard in self.shards])
        rows = np.concatenate([np.diff(shard.ptr) for shard in self.shards])
        self.labels: Tensor = torch.from_numpy(labels)
        self.bodies: Tensor = torch.from_numpy(bodies)
        self.lengths: Tensor = torch.from_numpy(rows // bodies)
        # Lists, since reading one number from a list is faster.
        self._frames = self.lengths.tolist()
        self._rows = [row for s in self.shards for row in s.ptr[:-1].tolist()]
        self.names = [x for shard in self.shards for x in shard.names]
        self.sources = [x for shard in self.shards for x in shard.sources]
        self.checksums = [x for shard in self.shards for x in shard.checksums]

    @staticmethod
    def write(
        path: str | os.PathLike[str],
        sequences: Iterable[MotionSequence],
        skeleton: Skeleton,
        classes: Iterable[str],
        recipe: str = "",
    ) -> "SequenceStore":
        r"""Writes a store of one file and opens it; all sequences are held in
        memory. :func:`~symgnn_pyg.data.prepare` writes larger stores.

        Args:
            path: The file to write.
            sequences: The sequences.
            skeleton: Their skeleton.
            classes: The names of the classes.
            recipe: What the store was made from and how.
                (default: :obj:`""`)

        Raises:
            DataError: If there are no sequences, or one does not fit the
                skeleton, holds numbers that are not finite, or has an unknown
                label.
        """
        sequences = list(sequences)
        if not sequences:
            raise DataError("There are no sequences to store")
        SequenceShard.write(path, sequences, skeleton, classes, recipe=recipe)
        return SequenceStore(path)

    def __len__(self) -> int:
        return self.labels.numel()

    def __getitem__(self, index: int) -> Tensor:
        r"""The frames of a sequence, of shape :math:`[B, T, V, C]`."""
        return self.read(index, 0, self.num_frames(index))

    @property
    def num_channels(self) -> int:
        r"""The number of channels :math:`C`."""
        return max(shard.row[1] for shard in self.shards)

    def num_frames(self, index: int) -> int:
        r"""The number of frames of a sequence."""
        return self._frames[index]

    def shard(self, index: int) -> int:
        r"""The index of the shard that holds a sequence."""
        return bisect_right(self._first, index) - 1

    def read(
        self, index: int, start: int, length: int, stride: int = 1
    ) -> Tensor:
        r"""Some frames of a sequence, of shape :math:`[B, T, V, C]`.

        Args:
            index: The sequence.
            start: The first frame.
            length: The number of frames.
            stride: The distance from one frame to the next.
                (default: :obj:`1`)

        Raises:
            IndexError: If the sequence does not have those frames.
            ValueError: If :obj:`length` is negative or :obj:`stride` smaller
                than 1.
        """
        if not 0 <= index < len(self):
            raise IndexError(
                f"{self.path} has {len(self)} sequences, asked for {index}"
            )
        check_sizes(0, length=length)
        check_sizes(1, stride=stride)
        shard = self.shards[self.shard(index)]
        out = np.empty((int(self.bodies[index]), length, *shard.row), "<f4")
        self.read_into(out, index, start, stride)
        return torch.from_numpy(out)

    def read_into(
        self, out: np.ndarray, index: int, start: int, stride: int = 1
    ) -> None:
        r"""Reads frames of a sequence into an existing array.

        Args:
            out: A contiguous single-precision array, of shape
                :math:`[B, T, V, C]`.
            index: The sequence.
            start: The first frame.
            stride: The distance from one frame to the next.
                (default: :obj:`1`)

        Raises:
            IndexError: If the sequence does not have those frames.
        """
        length, frames = out.shape[1], self._frames[index]
        end = start + (length - 1) * stride + 1 if length else start
        if not 0 <= start <= end <= frames:
            raise IndexError(
                f"Sequence {index} ({self.names[index]}) has {frames} frames, "
                f"asked for {start}..{end}"
            )
        shard, row = self.shards[self.shard(index)], self._rows[index] + start
        for body, values in enumerate(out):
            shard.read_into(values, row + body * frames, stride)

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({str(self.path)!r}, "
            f"sequences={len(self)}, frames={int(self.lengths.sum())}, "
            f"skeleton={self.skeleton.name!r})"
        )

    def _check_shards(self) -> None:
        first, count = self.shards[0], len(self.shards)
        widths = {shard.row[1] for shard in self.shards if len(shard.labels)}
        if self.skipped and not widths:
            raise DataError(
                f"None of the {len(self.skipped)} recordings can be used; the "
                f"first: {next(iter(self.skipped.values()))}"
            )
        if not widths:
            raise DataError(f"{self.path} holds no sequences")
        if len(widths) > 1 or any(
            shard.num_shards != count
            or shard.skeleton != first.skeleton
            or shard.classes != first.classes
            for shard in self.shards
        ):
            raise DataError(
                f"The shards of {self.path} do not belong together: there are "
                f"{count}, and {first.path.name} was one of "
                f"{first.num_shards}; prepare the data again"
            )


def shard_paths(path: Path, num_shards: int) -> list[Path]:
    r"""The files of a store: only :obj:`path` itself if there is one shard."""
    if num_shards == 1:
        return [path]
    return [
        path.with_name(f"{path.stem}-{i:05d}{path.suffix}")
        for i in range(num_shards)
    ]


def find_shards(path: Path) -> list[SequenceShard]:
    r"""The shards of a store, beside :obj:`path`."""
    pattern = f"{glob.escape(path.stem)}-[0-9][0-9][0-9][0-9][0-9]"
    files = path.parent.glob(f"{pattern}{glob.escape(path.suffix)}")
    found = map(SequenceShard, sorted(files))
    # Another store may have the name of a shard of this one.
    return [shard for shard in found if shard.num_shards > 1]

import hashlib
import json
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from symgnn_pyg.data.motion_sequence import MotionSequence, check_sequence
from symgnn_pyg.data.open_or_write import locked
from symgnn_pyg.data.sequence_shard import SequenceShard
from symgnn_pyg.data.sequence_store import (
    SequenceStore,
    find_shards,
    shard_paths,
)
from symgnn_pyg.errors import DataError, EmptyRecordingError, warn, warn_of_some
from symgnn_pyg.files import resolved
from symgnn_pyg.io import Source
from symgnn_pyg.skeleton import Skeleton

# The most files whose faults one error lists.
MOST_FAULTS = 20
Parser = Callable[[bytes, str], np.ndarray]


class Recording(NamedTuple):
    r"""A file to read.

    Args:
        name: The name of its sequence.
        file: Its name in the source.
        label: The index of its class.
    """

    name: str
    file: str
    label: int


def prepare(
    path: str | os.PathLike[str],
    source: Source,
    recordings: Sequence[Recording],
    *,
    parse: Parser,
    skeleton: Skeleton,
    classes: Sequence[str],
    recipe: str = "",
    skip_faulty: bool = False,
    shard_size: int = 512,
    num_workers: int | None = None,
) -> SequenceStore:
    r"""Parses recordings into a :class:`~symgnn_pyg.data.SequenceStore`. Its
    shards are written in parallel, each process holding one in memory. Shards
    that are up to date are kept: an interrupted preparation continues where it
    stopped, and when files change, only the shards that hold them are
    rewritten.

    Args:
        path: The store, :obj:`name.h5`.
        source: Where the files are.
        recordings: The files. They are distributed over the shards in turn,
            so that each shard is a fair sample.
        parse: A function that makes frames of shape :math:`[T, V, C]` or
            :math:`[B, T, V, C]` from the content of a file and its full name.
            It must be picklable if processes are spawned. Of its warnings the
            first three are shown.
        skeleton: The skeleton.
        classes: The names of the classes.
        recipe: What else the frames depend on, as text; when it changes, the
            store is rewritten. (default: :obj:`""`)
        skip_faulty: If set to :obj:`True`, files that cannot be parsed are
            left out and listed in :obj:`SequenceStore.skipped`, instead of
            raising an error. (default: :obj:`False`)
        shard_size: The largest number of recordings in a shard.
            (default: :obj:`512`)
        num_workers: The number of processes. (default: one per core)

    Raises:
        DataError: If files cannot be parsed, none shows a skeleton, two
            recordings have the same name, or :obj:`path` holds other data.
    """
    path = resolved(path)
    _check_recordings(recordings, source)
    count = -(-len(recordings) // shard_size)
    jobs = [
        _Job(
            file,
            recordings[i::count],
            source.subset(r.file for r in recordings[i::count]),
            parse,
            skeleton,
            list(classes),
            recipe,
            skip_faulty,
            count,
        )
        for i, file in enumerate(shard_paths(path, count))
    ]
    if not all(job.is_done() for job in jobs):
        with locked(path):
            _check_foreign(path, {r.file for r in recordings})
            # Another process may have written them while this one waited.
            todo = [job for job in jobs if not job.is_done()]
            notes = _run(todo, source.path.name, num_workers)
            _remove_others(path, {job.path for job in jobs})
        warn_of_some(notes, str(source.path))
    store = SequenceStore(path)
    if store.skipped:
        shown = list(store.skipped.items())[:3]
        warn(
            f"{source.path}: {len(store.skipped)} of {len(recordings)} "
            f"recordings were left out, see 'skipped'; the first: "
            + "; ".join(f"{file} ({why})" for file, why in shown)
        )
    return store


@dataclass
class _Job:
    path: Path
    recordings: Sequence[Recording]
    source: Source
    parse: Parser
    skeleton: Skeleton
    classes: list[str]
    options: str
    skip_faulty: bool
    num_shards: int

    @property
    def recipe(self) -> str:
        parse = getattr(self.parse, "func", self.parse)
        made_from = [
            self.options,
            f"{parse.__module__}.{parse.__qualname__}",
            self.skeleton.to_dict(),
            self.classes,
            [(*r, self.source.stamp(r.file)) for r in self.recordings],
        ]
        return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()

    def is_done(self) -> bool:
        try:
            shard = SequenceShard(self.path)
        except (DataError, FileNotFoundError):
            return False
        return (
            shard.num_shards == self.num_shards
            and shard.recipe == self.recipe
            and (self.skip_faulty or not shard.faulty)
        )

    def run(
        self, step: Callable[[int], object] = lambda count: None
    ) -> list[str]:
        """Writes the shard, and returns the warnings about its files."""
        skipped: dict[str, str] = {}
        faulty: dict[str, str] = {}
        notes: list[str] = []
        SequenceShard.write(
            self.path,
            self._sequences(skipped, faulty, notes, step),
            self.skeleton,
            self.classes,
            skipped,
            faulty,
            self.recipe,
            self.num_shards,
        )
        return notes

    def _sequences(
        self,
        skipped: dict[str, str],
        faulty: dict[str, str],
        notes: list[str],
        step: Callable[[int], object],
    ) -> Iterator[MotionSequence]:
        num_channels = 0
        for name, file, label in self.recordings:
            try:
                content, where = self.source.read(file), self.source.where(file)
                with warnings.catch_warnings(record=True) as caught:
                    frames = self.parse(content, where)
                notes += [str(each.message) for each in caught]
                checksum = hashlib.sha256(content).hexdigest()
                sequence = MotionSequence(name, frames, label, file, checksum)
                check_sequence(sequence, self.skeleton, len(self.classes))
                found = frames.shape[-1]
                if found != (num_channels or found):
                    raise DataError(
                        f"{where}: {found} channels, but the recordings before "
                        f"have {num_channels}"
                    )
                num_channels = found
                yield sequence
            except EmptyRecordingError as e:
                skipped[file] = str(e)
            except DataError as e:
                faulty[file] = str(e)
                if len(faulty) == MOST_FAULTS and not self.skip_faulty:
                    break
            step(1)
        if faulty and not self.skip_faulty:
            raise DataError("\n".join(faulty.values()))


def _run(jobs: Sequence[_Job], name: str, num_workers: int | None) -> list[str]:
    notes: list[str] = []
    total = sum(len(job.recordings) for job in jobs)
    workers = min(len(jobs), num_workers or os.cpu_count() or 1)
    with tqdm(total=total, desc=f"reading {name}", disable=None) as bar:
        if workers <= 1:
            for job in jobs:
                notes += job.run(bar.update)
            return notes
        with ProcessPoolExecutor(workers, initializer=_follow_parent) as pool:
            try:
                futures = {pool.submit(job.run): job for job in jobs}
                for future in as_completed(futures):
                    notes += future.result()
                    bar.update(len(futures[future].recordings))
            except BrokenProcessPool as e:
                raise ChildProcessError(
                    f"A process reading {name} was killed, probably for lack "
                    f"of memory: use fewer 'num_workers' than {workers}. "
                    f"Finished shards are kept; run the preparation again"
                ) from e
            except BaseException as e:
                if not isinstance(e, Exception):
                    for worker in pool._processes.values():
                        worker.terminate()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return notes


def _follow_parent() -> None:
    # The parent handles Ctrl-C and terminates this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = os.getppid()

    def exit_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    Thread(target=exit_with_parent, daemon=True).start()


def _check_recordings(recordings: Sequence[Recording], source: Source) -> None:
    if not recordings:
        raise DataError(f"{source.path} holds no recordings")
    files: dict[str, str] = {}
    for recording in recordings:
        other = files.setdefault(recording.name, recording.file)
        if other != recording.file:
            raise DataError(
                f"{source.path} holds two recordings named "
                f"{recording.name!r}: {other} and {recording.file}; rename or "
                f"remove one"
            )


def _remove_others(path: Path, made: set[Path]) -> None:
    shards = {shard.path for shard in find_shards(path)}
    for file in {path, *shards} - made:
        file.unlink(missing_ok=True)


def _check_foreign(path: Path, files: set[str]) -> None:
    """Refuses to overwrite a store that holds none of the files."""
    whole = [SequenceShard(path)] if path.is_file() else []
    for shard in [*whole, *find_shards(path)]:
        if files.isdisjoint([*shard.sources, *shard.skipped, *shard.faulty]):
            raise DataError(
                f"{shard.path} holds other data; delete it or pass another "
                f"'path'"
            )

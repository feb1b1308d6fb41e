from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from symgnn_pyg.data import SequenceStore


def open_or_write(
    path: Path, write: Callable[[], SequenceStore]
) -> SequenceStore:
    r"""Opens a store that may have to be written first: by one process, where
    several of one run want it at once.

    Args:
        path: The store, :obj:`name.h5`.
        write: Writes it, if there is none.
    """
    with suppress(FileNotFoundError):
        return SequenceStore(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock(path):
        # Another process may have written it while this one waited.
        with suppress(FileNotFoundError):
            return SequenceStore(path)
        return write()


def lock(path: Path) -> FileLock:
    r"""The lock of a store that is being written.

    Args:
        path: The store, :obj:`name.h5`.
    """
    return FileLock(path.with_name(f".{path.name}.lock"))

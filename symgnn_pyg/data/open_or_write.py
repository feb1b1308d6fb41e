import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from symgnn_pyg.data.sequence_store import SequenceStore
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import remove_leftovers


def open_or_write(
    path: Path, write: Callable[[], SequenceStore]
) -> SequenceStore:
    r"""Opens a store, writing it first if it does not exist. Of several
    processes that open it at once, one writes it.

    Args:
        path: The store, :obj:`name.h5`.
        write: Writes it.

    Raises:
        DataError: If the folder is not writable.
    """
    with suppress(FileNotFoundError):
        return SequenceStore(path)
    with locked(path):
        # Another process may have written it while this one waited.
        with suppress(FileNotFoundError):
            return SequenceStore(path)
        return write()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    r"""Keeps other processes from writing a store, and removes temporary files
    that killed processes left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Any user who may write to the folder may lock the store.
        with FileLock(path.with_name(f".{path.name}.lock"), mode=0o666):
            try:
                _remove_halves(path)
                yield
            finally:
                _remove_halves(path)
    except OSError as e:
        if e.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise DataError(
            f"{path.parent} is not writable; the store {path.name} needs a "
            f"folder that is"
        ) from e


def _remove_halves(path: Path) -> None:
    # Only of this store, not of others in the same folder.
    remove_leftovers(path)
    remove_leftovers(path, "-" + "[0-9]" * 5)

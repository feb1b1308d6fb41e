"""Files that are there whole or not at all."""

import errno
import glob
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What the system says of a disk, a quota or a limit that is used up; h5py and
# safetensors repeat it in errors of their own.
FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)))
# What `tempfile` makes the names of temporary files unique with.
UNIQUE = "[a-z0-9_]" * 8


def resolved(path: str | os.PathLike[str]) -> Path:
    r"""A path that stays valid when the working directory changes, with
    :obj:`~` expanded.

    Args:
        path: The path, relative or absolute.
    """
    return Path(path).expanduser().absolute()


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    r"""A temporary file with the suffix of :obj:`path` that takes its place
    when the block ends well. When it does not, or the process is killed,
    :obj:`path` is what it was before. Who may read it stays the same.

    Args:
        path: The file to write; its folder is made where it is missing.

    Raises:
        OSError: If the file cannot be written, as on a full disk.
    """
    path = resolved(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(_mode(path))
        temporary.replace(path)
    except Exception as error:
        for reason in FULL:
            if reason in str(error):
                raise OSError(
                    f"{path} could not be written: {reason}. What it held "
                    f"before is whole: make room, and go on from there"
                ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def remove_leftovers(path: Path, more: str = "") -> None:
    r"""Removes what :func:`replacing` left of a file when it was killed.

    Args:
        path: The file.
        more: A pattern of what may follow its stem. (default: :obj:`""`)
    """
    stem, suffix = glob.escape(path.stem), glob.escape(path.suffix)
    for file in path.parent.glob(f".{stem}{more}.{UNIQUE}{suffix}"):
        file.unlink(missing_ok=True)

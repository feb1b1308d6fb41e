"""Atomic writing of files."""

import errno
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The system's messages for a full disk, an exceeded quota and a file-size
# limit. h5py and safetensors repeat them in errors of their own types.
FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)))
# The random part of the name of a temporary file.
UNIQUE = "[0-9a-f]" * 8


def expanded(path: str | os.PathLike[str]) -> Path:
    r"""A path with :obj:`~` expanded, which shells leave in
    :obj:`--option=~/path`.
    """
    return Path(os.path.expanduser(path))


def resolved(path: str | os.PathLike[str]) -> Path:
    r"""A path that stays valid when the working directory changes, with
    :obj:`~` expanded.
    """
    return expanded(path).absolute()


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    r"""Yields a temporary file with the suffix of :obj:`path`, which replaces
    :obj:`path` when the block succeeds. If the block fails or the process is
    killed, :obj:`path` is left unchanged. Permissions are preserved.

    Args:
        path: The file to write. Missing folders are created.

    Raises:
        OSError: If the file cannot be written, as on a full disk.
    """
    path = resolved(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f".{path.stem}.{secrets.token_hex(4)}{path.suffix}"
    temporary = path.with_name(name)
    try:
        temporary.touch(exist_ok=False)
        if path.exists():
            shutil.copymode(path, temporary)
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except Exception as error:
        for reason in FULL:
            if reason in str(error):
                raise OSError(
                    f"{path} could not be written: {reason}. Its previous "
                    f"contents are intact: free some space and try again"
                ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path, more: str = "") -> None:
    r"""Removes the temporary files of a killed :func:`replacing`.

    Args:
        path: The file that was to be written.
        more: A pattern for what may follow its stem. (default: :obj:`""`)
    """
    stem, suffix = glob.escape(path.stem), glob.escape(path.suffix)
    for file in path.parent.glob(f".{stem}{more}.{UNIQUE}{suffix}"):
        file.unlink(missing_ok=True)

import copy
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

import numpy as np

from symgnn_pyg.errors import DataError, check_names
from symgnn_pyg.io.limits import (
    MOST_BYTES,
    check_lines,
    check_size,
    read_entry,
)

UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError)


class Source:
    r"""The original files of a data set, in a folder or in a zip archive that
    is read in place.

    Args:
        path: The folder or the archive.
        anchors: The folders that names start with: what encloses the
            innermost of them is left off each name, and so does no harm.
            (default: :obj:`()`)

    Raises:
        FileNotFoundError: If there is nothing at :obj:`path`.
        DataError: If the archive is damaged or names files outside itself,
            or a name holds control characters.
    """

    def __init__(
        self, path: str | os.PathLike[str], anchors: Sequence[str] = ()
    ) -> None:
        self.path = Path(path)
        self._anchors = tuple(anchors)
        self._archive: zipfile.ZipFile | None = None
        self._pid = -1
        if self.path.is_dir():
            names = {
                Path(folder, file).relative_to(self.path).as_posix()
                for folder, _, files in os.walk(self.path)
                for file in files
            }
        elif self.path.is_file():
            names = {entry.filename for entry in self._open().infolist()}
            self._check_names(names)
            names = {name for name in names if not name.endswith("/")}
        else:
            raise FileNotFoundError(f"There is no folder or file {self.path}")
        check_names(names, f"{self.path}: the file name")
        self._full: dict[str, str] = {}
        for name in sorted(names):
            other = self._full.setdefault(self._short(name), name)
            if other != name and self._short(name) != name:
                raise DataError(
                    f"{self.path} holds the same file twice: {other} and {name}"
                )

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def __contains__(self, name: str) -> bool:
        return name in self._full

    def __iter__(self) -> Iterator[str]:
        return iter(self._full)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_archive": None, "_pid": -1}

    def subset(self, names: Iterable[str]) -> "Source":
        r"""A source of some of the files."""
        source = copy.copy(self)
        source._full = {name: self._full[name] for name in names}
        return source

    def read(self, name: str) -> bytes:
        r"""The content of a file.

        Raises:
            DataError: If it cannot be read, is larger than any recording, no
                regular file, or a link that leads out of the folder.
        """
        with self._explained(name):
            if not self._is_folder:
                return read_entry(
                    self._open(), self._entry(name), self.where(name)
                )
            size = self._status(name).st_size
            check_size(size, self.where(name), MOST_BYTES)
            with (self.path / self._full[name]).open("rb") as file:
                return file.read(size)

    def stamp(self, name: str) -> str:
        r"""What changes when a file does: its size, and when it was written
        or, in an archive, its checksum.

        Raises:
            DataError: If there is none, as of a link to nowhere.
        """
        with self._explained(name):
            if self._is_folder:
                status = self._status(name)
                return f"{status.st_size} {status.st_mtime_ns}"
            entry = self._entry(name)
            return f"{entry.file_size} {entry.CRC}"

    def where(self, name: str) -> str:
        r"""The full name of a file, for messages."""
        return str(self.path / self._full[name])

    @property
    def _is_folder(self) -> bool:
        return self.path.is_dir()

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except UNREADABLE as e:
            raise DataError(f"{self.where(name)} cannot be read: {e}") from e

    def _status(self, name: str) -> os.stat_result:
        path = self.path / self._full[name]
        if path.is_symlink() and not (
            path.resolve().is_relative_to(self.path.resolve())
        ):
            raise DataError(
                f"{path} is a link that leads out of {self.path}; put the "
                f"file itself there"
            )
        status = path.stat()
        # A pipe is waited for, and a device read, without end.
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path} is no regular file")
        return status

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = self._open().getinfo(self._full[name])
        # What it takes in the archive is read at once, and may be forged.
        if entry.compress_size > self.path.stat().st_size:
            raise EOFError("the archive is shorter than it says")
        return entry

    def _open(self) -> zipfile.ZipFile:
        # A handle that was inherited by fork shares its offset: open anew.
        if self._archive is None or self._pid != os.getpid():
            try:
                self._archive = zipfile.ZipFile(self.path)
            except (
                zipfile.BadZipFile,
                EOFError,
                NotImplementedError,
                OSError,
            ) as e:
                raise DataError(
                    f"{self.path} is no readable zip archive ({e}); it may be "
                    f"truncated: fetch it again"
                ) from e
            self._pid = os.getpid()
        return self._archive

    def _check_names(self, names: Iterable[str]) -> None:
        for name in names:
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if (
                not name
                or ".." in parts
                or name.startswith(("/", "\\"))
                or ":" in name
            ):
                raise DataError(
                    f"{self.path} names the file {name!r}, which lies outside "
                    f"the archive; it is not to be trusted"
                )

    def _short(self, name: str) -> str:
        parts = PurePosixPath(name).parts
        at = [i for i, part in enumerate(parts[:-1]) if part in self._anchors]
        return "/".join(parts[at[-1] :]) if at else name


def read_table(content: bytes, where: str, columns: int) -> np.ndarray:
    r"""Comma-separated numbers, of shape
    :math:`[\textrm{rows}, \textrm{columns}]`.

    Args:
        content: The content of the file.
        where: Its name, for messages.
        columns: The number of columns.

    Raises:
        DataError: If a line has another number of columns or holds
            anything but finite numbers; the message names the line.
    """
    check_lines(content, where)
    if not content.strip():
        raise DataError(f"{where} is empty")
    try:
        table = np.loadtxt(
            io.BytesIO(content), delimiter=",", ndmin=2, comments=None
        )
        if table.shape[1] == columns and np.isfinite(table).all():
            return table
    except (ValueError, UnicodeDecodeError):
        pass
    raise DataError(f"{where}, {_first_fault(content, columns)}")


def _first_fault(content: bytes, columns: int) -> str:
    for number, read in enumerate(io.BytesIO(content), start=1):
        line = read.decode("utf-8", errors="replace")
        if not line.strip():
            continue
        cells = line.split(",")
        if len(cells) != columns:
            return f"line {number}: {len(cells)} columns, expected {columns}"
        for column, cell in enumerate(cells, start=1):
            try:
                finite = np.isfinite(float(cell))
            except ValueError:
                finite = False
            if not finite:
                return (
                    f"line {number}, column {column}: {cell.strip()!r} is no "
                    f"finite number"
                )
    return "cannot be parsed as a table"

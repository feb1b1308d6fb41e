import hashlib
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from symgnn_pyg.errors import DataError

Item = TypeVar("Item")
UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)


class Source:
    r"""The original files of a data set, in a folder or in a zip archive that
    is read in place. Files are named relative to the innermost folder that
    holds the first of :obj:`ANCHORS`, so one enclosing folder does no harm.

    Args:
        path: The folder or the archive.

    Raises:
        FileNotFoundError: If there is nothing at :obj:`path`.
        DataError: If the archive is damaged or names files outside itself.
    """

    ANCHORS = ("train", "test")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._archive: zipfile.ZipFile | None = None
        if self.path.is_dir():
            names = {
                file.relative_to(self.path).as_posix()
                for file in self.path.rglob("*")
                if file.is_file()
            }
        elif self.path.is_file():
            self._archive = self._open_archive()
            names = {
                entry.filename
                for entry in self._archive.infolist()
                if not entry.is_dir()
            }
            self._check_names(names)
        else:
            raise FileNotFoundError(f"There is no folder or file {self.path}")
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

    def __contains__(self, name: str) -> bool:
        return name in self._full

    def read(self, name: str) -> bytes:
        r"""The content of a file.

        Raises:
            DataError: If it cannot be read.
        """
        full = self._full[name]
        try:
            if self._archive is not None:
                return self._archive.read(full)
            return (self.path / full).read_bytes()
        except (*UNREADABLE, OSError, EOFError, RuntimeError) as e:
            raise DataError(f"{self._where(name)} cannot be read: {e}") from e

    def sha256(self, name: str) -> str:
        r"""The SHA-256 checksum of a file, in hexadecimal."""
        return hashlib.sha256(self.read(name)).hexdigest()

    def read_table(self, name: str, columns: int) -> np.ndarray:
        r"""A file of comma-separated numbers, of shape
        :math:`[\textrm{rows}, \textrm{columns}]`.

        Raises:
            DataError: If a line has another number of columns or holds
                anything but finite numbers; the message names the line.
        """
        content, where = self.read(name), self._where(name)
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

    def progress(self, items: Iterable[Item]) -> Iterable[Item]:
        r"""The same items, with a progress bar on a terminal."""
        return tqdm(items, f"reading {self.path.name}", disable=None)

    def _where(self, name: str) -> str:
        return str(self.path / self._full[name])

    def _open_archive(self) -> zipfile.ZipFile:
        try:
            archive = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, EOFError, OSError) as e:
            raise DataError(
                f"{self.path} is no readable zip archive ({e}); it may be "
                f"truncated: fetch it again"
            ) from e
        return archive

    def _check_names(self, names: Iterable[str]) -> None:
        for name in names:
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if ".." in parts or name.startswith(("/", "\\")) or ":" in name:
                raise DataError(
                    f"{self.path} names the file {name!r}, which lies outside "
                    f"the archive; it is not to be trusted"
                )

    def _short(self, name: str) -> str:
        parts = PurePosixPath(name).parts
        at = [i for i, part in enumerate(parts[:-1]) if part in self.ANCHORS]
        return "/".join(parts[at[-1] :]) if at else name


def _first_fault(content: bytes, columns: int) -> str:
    lines = content.decode("utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
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

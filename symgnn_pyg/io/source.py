import copy
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from symgnn_pyg.errors import DataError, check_names
from symgnn_pyg.files import resolved
from symgnn_pyg.io.limits import read_bytes, read_entry

UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError)


class Source:
    r"""The original files of a data set, in a folder or in a zip archive that
    is read in place. The notes that macOS adds to archives are left out.

    Args:
        path: The folder or the archive. A relative path is resolved here, and
            :obj:`~` is expanded.
        anchors: The folders that names start with. Whatever encloses the
            innermost of them is left off each name.
            (default: :obj:`()`)

    Raises:
        FileNotFoundError: If there is nothing at :obj:`path`.
        DataError: If the archive is damaged or names files outside itself,
            or a name holds control characters.
    """

    def __init__(
        self, path: str | os.PathLike[str], anchors: Sequence[str] = ()
    ) -> None:
        self.path = resolved(path)
        self._anchors = tuple(anchors)
        self._archive: zipfile.ZipFile | None = None
        self._pid = -1
        if self.path.is_dir():
            # Links to folders are not followed: data sets list them.
            names = {
                Path(folder, name).relative_to(self.path).as_posix()
                for folder, folders, files in os.walk(self.path)
                for name in files
                + [f for f in folders if Path(folder, f).is_symlink()]
            }
        elif self.path.is_file():
            names = {entry.filename for entry in self._open().infolist()}
            self._check_names(names)
            names = {name for name in names if not name.endswith(("/", "\\"))}
        else:
            raise FileNotFoundError(
                f"There is no folder or zip archive {self.path}"
            )
        check_names(names, f"{self.path}: the file name")
        self._full: dict[str, str] = {}
        for name in sorted(names):
            if _is_note(name):
                continue
            other = self._full.setdefault(self._short(name), name)
            if other != name and self._short(name) != name:
                raise DataError(
                    f"{self.path} holds the same file twice: {other} and "
                    f"{name}; remove one of them"
                )

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
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
            DataError: If it cannot be read, is larger than 256 MiB, is not a
                regular file, or is a link that leads out of the folder.
        """
        with self._explained(name):
            if self.path.is_dir():
                return read_bytes(self._file(name))[0]
            return read_entry(self._open(), self._entry(name), self.where(name))

    def stamp(self, name: str) -> str:
        r"""What changes when a file does: its size, and when it was written
        or, in an archive, its checksum.

        Raises:
            DataError: If the file cannot be found, as with a broken link.
        """
        with self._explained(name):
            if self.path.is_dir():
                status = self._file(name).stat()
                return f"{status.st_size} {status.st_mtime_ns}"
            entry = self._entry(name)
            return f"{entry.file_size} {entry.CRC}"

    def where(self, name: str) -> str:
        r"""The full name of a file, for error messages."""
        return str(self.path / self._full[name])

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except UNREADABLE as e:
            raise DataError(f"{self.where(name)} cannot be read: {e}") from e

    def _file(self, name: str) -> Path:
        path = self.path / self._full[name]
        if path.is_symlink() and not (
            path.resolve().is_relative_to(self.path.resolve())
        ):
            raise DataError(
                f"{path} is a link that leads out of {self.path}; put the "
                f"file itself there"
            )
        return path

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = self._open().getinfo(self._full[name])
        # Its compressed size may be forged, and is read in one piece.
        if entry.compress_size > self.path.stat().st_size:
            raise EOFError("the archive is shorter than it announces")
        return entry

    def _open(self) -> zipfile.ZipFile:
        # A handle inherited by fork shares its offset with the parent's.
        if self._archive is None or self._pid != os.getpid():
            try:
                self._archive = zipfile.ZipFile(self.path)
            except UNREADABLE as e:
                raise DataError(
                    f"Expected a folder or a zip archive, but {self.path} is "
                    f"not a readable one ({e}); if it should be, it may be "
                    f"truncated: download it again"
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
                    f"the archive; do not trust it"
                )

    def _short(self, name: str) -> str:
        # Some programs on Windows write backslashes into archives.
        name = name.replace("\\", "/")
        parts = PurePosixPath(name).parts
        at = [i for i, part in enumerate(parts[:-1]) if part in self._anchors]
        return "/".join(parts[at[-1] :]) if at else name


def _is_note(name: str) -> bool:
    return any(
        part in ("__MACOSX", ".DS_Store") or part.startswith("._")
        for part in PurePosixPath(name).parts
    )

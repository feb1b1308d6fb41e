"""Limits on file sizes, against files crafted to exhaust memory."""

import codecs
import os
import stat
import zipfile

from symgnn_pyg.errors import DataError
from symgnn_pyg.files import resolved

File = str | os.PathLike[str] | bytes

# More than any recording needs.
MOST_BYTES = 2**28
MOST_LINE = 2**20
BOM = codecs.BOM_UTF8
# Of gzip, and of zip archives such as spreadsheets.
COMPRESSED = b"\x1f\x8b", b"PK\x03\x04"
UTF16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE


def read_bytes(
    file: File, name: str = "", most: int = MOST_BYTES
) -> tuple[bytes, str]:
    r"""The content of a file, and its name for error messages.

    Raises:
        DataError: If it is not a regular file, or is larger.
    """
    if isinstance(file, bytes):
        name = name or "the content"
        check_size(len(file), name, most)
        return file, name
    path = resolved(file)
    name = name or str(path)
    status = path.stat()
    # Reading a pipe or a device might never end.
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{name} is not a regular file")
    check_size(status.st_size, name, most)
    with path.open("rb") as stream:
        return stream.read(status.st_size), name


def read_text(file: File, name: str = "") -> tuple[bytes, str]:
    r"""The content of a text file without a byte order mark, and its name for
    error messages.

    Args:
        file: The path of the file, or its content.
        name: Its name in error messages. (default: its path)

    Raises:
        DataError: If it is not a regular file, is larger than 256 MiB, is
            compressed or encoded as UTF-16, or has a line longer than 1 MiB.
    """
    content, name = read_bytes(file, name)
    if content.startswith(UTF16):
        raise DataError(f"{name} is encoded as UTF-16; save it as UTF-8")
    if content.startswith(COMPRESSED):
        raise DataError(
            f"{name} is compressed; unpack it, or export a spreadsheet as CSV"
        )
    check_lines(content, name)
    return content.removeprefix(BOM), name


def read_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str
) -> bytes:
    r"""Unpacks a file of a zip archive, but no more of it than the archive
    announces.

    Raises:
        DataError: If it is larger than 256 MiB, or its compression method can
            expand without bound.
        zipfile.BadZipFile: If the content is not what the archive announces.
    """
    check_size(entry.file_size, name, MOST_BYTES)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{name} uses a compression method that is not supported; create "
            f"the archive with deflate"
        )
    with archive.open(entry.filename) as file:
        return file.read(entry.file_size)


def check_size(size: int, name: str, most: int) -> None:
    r"""Refuses a file of more than :obj:`most` bytes."""
    if size > most:
        raise DataError(
            f"{name} has {size} bytes, more than the {most} allowed for such "
            f"a file"
        )


def check_lines(content: bytes, name: str) -> None:
    r"""Refuses a line longer than 1 MiB: a parsed line takes many times its
    size in memory.
    """
    start = 0
    while len(content) - start > MOST_LINE:
        end = content.rfind(b"\n", start, start + MOST_LINE + 1)
        if end < 0:
            number = content.count(b"\n", 0, start) + 1
            raise DataError(
                f"{name}, line {number}: more than {MOST_LINE} bytes"
            )
        start = end + 1

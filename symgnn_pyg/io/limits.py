"""What is read of a file that may be made to take all memory."""

import zipfile

from symgnn_pyg.errors import DataError

# More than any recording has.
MOST_BYTES = 2**28
MOST_LINE = 2**20


def check_size(size: int, where: str, most: int) -> None:
    r"""Refuses a file that is larger than any of its kind.

    Args:
        size: Its size, in bytes.
        where: Its name, for messages.
        most: The largest size.

    Raises:
        DataError: If it is larger.
    """
    if size > most:
        raise DataError(
            f"{where} has {size} bytes, more than the {most} of any such file"
        )


def read_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str
) -> bytes:
    r"""Unpacks a file of a zip archive, and no more of it than the archive
    announces.

    Args:
        archive: The archive.
        entry: The file.
        where: Its name, for messages.

    Raises:
        DataError: If it is larger than any recording, or compressed in a way
            whose unpacking has no bound.
        zipfile.BadZipFile: If it unpacks to anything but what is announced.
    """
    check_size(entry.file_size, where, MOST_BYTES)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"{where} is compressed in a way that is not read; use deflate"
        )
    with archive.open(entry.filename) as file:
        return file.read(entry.file_size)


def check_lines(content: bytes, where: str) -> None:
    r"""Refuses text with a line that is longer than any recording's: what a
    parser makes of one takes many times its room.

    Args:
        content: The content of the file.
        where: Its name, for messages.

    Raises:
        DataError: If a line is longer than 1 MiB.
    """
    start = 0
    while len(content) - start > MOST_LINE:
        end = content.rfind(b"\n", start, start + MOST_LINE + 1)
        if end < 0:
            number = content.count(b"\n", 0, start) + 1
            raise DataError(
                f"{where}, line {number}: more than {MOST_LINE} bytes"
            )
        start = end + 1

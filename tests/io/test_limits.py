import gzip
import io
import struct
import tracemalloc
import zipfile

import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import (
    MOST_LINE,
    check_lines,
    read_bytes,
    read_entry,
    read_text,
)

MIB = 2**20


def archive(method=zipfile.ZIP_DEFLATED, size=MIB, announced=None):
    """One file of zeros, of which the archive may announce less."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        file.writestr("a", bytes(size))
    content = bytearray(stream.getvalue())
    if announced is not None:
        struct.pack_into("<I", content, 22, announced)
        directory = content.rindex(b"PK\1\2")
        struct.pack_into("<I", content, directory + 24, announced)
    return zipfile.ZipFile(io.BytesIO(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_reads(method):
    file = archive(method)
    assert read_entry(file, file.infolist()[0], "a") == bytes(MIB)


def test_no_more_is_unpacked_than_announced():
    file = archive(size=64 * MIB, announced=1000)
    tracemalloc.start()
    with pytest.raises(zipfile.BadZipFile):
        read_entry(file, file.infolist()[0], "a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB


def test_files_without_end():
    file = archive(announced=2**28 + 1)
    with pytest.raises(DataError, match="a has 268435457 bytes, more than"):
        read_entry(file, file.infolist()[0], "a")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bound(method):
    file = archive(method)
    with pytest.raises(DataError, match=r"a\.csv uses a compression"):
        read_entry(file, file.infolist()[0], "a.csv")


def test_paths_and_content(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(b"1,2")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_bytes(path) == (b"1,2", str(path))
    assert read_bytes("~/a.csv") == (b"1,2", str(path))
    assert read_bytes(path, "clip") == (b"1,2", "clip")
    assert read_bytes(b"1,2") == (b"1,2", "the content")
    with pytest.raises(DataError, match=r"is not a regular file"):
        read_bytes(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "absent")


def test_lines():
    longest = b"x" * MOST_LINE + b"\n"
    for content in (b"", b"\n", longest, 3 * longest, b"y\n" * MIB + longest):
        check_lines(content, "a.csv")
    for number in (1, 2, 5):
        content = (number - 1) * longest + b"x" + longest + b"\n"
        with pytest.raises(DataError, match=rf"a\.csv, line {number}: more"):
            check_lines(content, "a.csv")


@pytest.mark.parametrize("order", ["le", "be"])
def test_other_encodings_are_named(order):
    text = "\ufeffhip_x\n1\n".encode(f"utf-16-{order}")
    with pytest.raises(DataError, match=r"a\.csv is encoded as UTF-16"):
        read_text(text, "a.csv")
    assert read_text("\ufeff1".encode(), "a.csv")[0] == b"1"


def test_compressed_text_is_named():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.csv", "1")
    for content in (gzip.compress(b"1"), packed.getvalue()):
        with pytest.raises(DataError, match=r"a\.csv is compressed; unpack it"):
            read_text(content, "a.csv")

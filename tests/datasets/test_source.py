import hashlib
import zipfile

import numpy as np
import pytest

from symgnn_pyg.datasets.source import Source
from symgnn_pyg.errors import DataError

NAME = "train/walk/walk_1.txt"
TEXT = "1,2,3\n4,5,-6e-1\n"


@pytest.fixture(params=["", "data/", "deep/train/data/"])
def enclosing(request):
    return request.param


@pytest.fixture(params=["folder", "zip"])
def make(request, tmp_path):
    """Makes a source of one file with that content."""

    def make(content=TEXT, name=NAME):
        content = content.encode() if isinstance(content, str) else content
        if request.param == "folder":
            path = tmp_path / "root"
            (path / name).parent.mkdir(parents=True)
            (path / name).write_bytes(content)
            return path
        path = tmp_path / "root.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return path

    return make


def test_reads(make, enclosing):
    with Source(make(name=enclosing + NAME)) as source:
        assert NAME in source
        assert "test/walk/walk_1.txt" not in source
        assert source.read(NAME) == TEXT.encode()
        assert source.sha256(NAME) == hashlib.sha256(TEXT.encode()).hexdigest()
        table = source.read_table(NAME, 3)
    np.testing.assert_array_equal(table, [[1, 2, 3], [4, 5, -0.6]])


def test_windows_line_ends_and_one_row(make):
    with Source(make("1, 2,3\r\n")) as source:
        assert source.read_table(NAME, 3).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("1,2\n3,4\n", "line 1: 2 columns, expected 3"),
        ("1,2,3\n4,5\n", "line 2: 2 columns, expected 3"),
        ("1,2,3\n4,5,6,7\n", "line 2: 4 columns, expected 3"),
        ("1,2,3\n4,nan,6\n", "line 2, column 2: 'nan' is no finite"),
        ("1,2,3\n4,5,-inf\n", "line 2, column 3: '-inf'"),
        ("1,2,3\n4,5,1e999\n", "line 2, column 3: '1e999'"),
        ("1,2,3\nx y,5,6\n", "line 2, column 1: 'x y'"),
        ("1,2,3\n,5,6\n", "line 2, column 1: ''"),
        ("1,2,3\n\n4,nan,6\n", "line 3, column 2: 'nan'"),
        ("1 2 3\n", "line 1: 1 columns"),
        (b"1,2,3\n\xff\xfe,5,6\n", "line 2, column 1"),
        (b"\x00\x01\x02", "line 1: 1 columns"),
    ],
)
def test_faults_name_file_and_line(make, content, fault):
    with (
        Source(make(content)) as source,
        pytest.raises(DataError, match=rf"walk_1\.txt.*{fault}"),
    ):
        source.read_table(NAME, 3)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        Source(tmp_path / "absent")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_archive(tmp_path, share):
    path = tmp_path / "cut.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(NAME, TEXT)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"cut\.zip .*truncated"):
        Source(path)


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_member(tmp_path, kind):
    path = tmp_path / "bad.zip"
    text = ",".join(str(i * i) for i in range(400))
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr(NAME, text)
    content = bytearray(path.read_bytes())
    for at in range(60, 300, 7):
        content[at] ^= 0xFF
    path.write_bytes(content)
    with (
        Source(path) as source,
        pytest.raises(DataError, match=r"walk_1\.txt cannot be read"),
    ):
        source.read(NAME)


@pytest.mark.parametrize(
    "name", ["../train/a.txt", "train/../../a.txt", "/train/a.txt",
             "..\\train\\a.txt", "C:/train/a.txt"],
)  # fmt: skip
def test_names_outside_the_archive(tmp_path, name):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(NAME, TEXT)
        archive.writestr(name, TEXT)
    with pytest.raises(DataError, match=r"evil\.zip names the file .*outside"):
        Source(path)


def test_archive_is_closed(tmp_path):
    path = tmp_path / "ok.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(NAME, TEXT)
    with Source(path) as source:
        pass
    with pytest.raises((DataError, ValueError), match="closed"):
        source.read(NAME)

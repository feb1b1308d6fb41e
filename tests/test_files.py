import os
import stat
from pathlib import Path

import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.files import expanded, replacing, resolved


def test_appears_when_complete(tmp_path):
    target = tmp_path / "new" / "folder" / "file.txt"
    with replacing(str(target)) as path:
        path.write_text("whole")
        assert path.suffix == ".txt"
        assert not target.exists()
    assert target.read_text() == "whole"
    assert os.listdir(target.parent) == ["file.txt"]


def test_replaces(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    with replacing(target) as path:
        path.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_keeps_the_old_file(tmp_path, error):
    target = tmp_path / "file.json"
    target.write_text("old")

    def write():
        with replacing(target) as path:
            path.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.json"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "file") as path:
            path.write_text("x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_folder_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(OSError, match="file"),
        replacing(tmp_path / "file" / "below"),
    ):
        pass


def test_data_error_is_a_value_error():
    assert issubclass(DataError, ValueError)


def test_permissions_of_an_old_file_stay(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o600)
    with replacing(tmp_path / "file") as path:
        path.write_text("y")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_names_that_only_look_like_a_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert expanded("~take1.bvh") == Path("~take1.bvh")
    assert resolved("~take1.bvh") == tmp_path / "~take1.bvh"

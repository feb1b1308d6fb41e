import os
import pickle
import signal
import zipfile

import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io import Source as AnySource

NAME = "train/walk/walk_1.txt"
TEXT = "1,2,3\n4,5,-6e-1\n"


def Source(path):  # noqa: N802
    return AnySource(path, anchors=("train", "test"))


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
        assert list(source) == [NAME]
        assert source.read(NAME) == TEXT.encode()


def test_without_anchors(make, enclosing):
    with AnySource(make(name=enclosing + NAME)) as source:
        assert list(source) == [enclosing + NAME]


def test_pickles_without_its_handle(make):
    with Source(make()) as source:
        source.read(NAME)
        again = pickle.loads(pickle.dumps(source))
    with again:
        assert again.read(NAME) == TEXT.encode()


def test_subset(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(name)
    with AnySource(tmp_path) as source:
        subset = source.subset(["b"])
        assert list(subset) == ["b"]
        assert subset.read("b") == b"b"
        assert set(source) == {"a", "b"}


def test_stamp_changes_with_the_file(make):
    root = make()
    with Source(root) as source:
        before = source.stamp(NAME)
        assert source.stamp(NAME) == before
    if root.is_dir():
        (root / NAME).write_text("7,8,9\n4,5,-6e-1\n")
    else:
        with zipfile.ZipFile(root, "w") as archive:
            archive.writestr(NAME, "7,8,9\n4,5,-6e-1\n")
    with Source(root) as source:
        assert source.stamp(NAME) != before


def test_files_without_end(tmp_path):
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    path.touch()
    os.truncate(path, 2**28 + 1)
    with pytest.raises(DataError, match=r"walk_1\.txt has 268435457 bytes"):
        Source(tmp_path).read(NAME)


@pytest.mark.parametrize(
    "note", ["__MACOSX/walk/._walk_1.txt", "walk/._walk_1.txt", ".DS_Store"]
)
def test_notes_of_macos(make, note):
    assert list(AnySource(make(name=note))) == []


def test_paths_are_resolved(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text(TEXT)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    sources = [AnySource("data"), AnySource("~/data")]
    monkeypatch.chdir("/")
    for source in sources:
        assert source.read("a.csv") == TEXT.encode()


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


def linked(tmp_path, target):
    file = tmp_path / "root" / NAME
    file.parent.mkdir(parents=True)
    file.symlink_to(target)
    return Source(tmp_path / "root")


def test_archives_of_windows(tmp_path):
    with zipfile.ZipFile(tmp_path / "root.zip", "w") as archive:
        archive.writestr("root\\train\\walk\\", "")
        archive.writestr("root\\" + NAME.replace("/", "\\"), TEXT)
    source = Source(tmp_path / "root.zip")
    assert [*source] == [NAME]
    assert source.read(NAME) == TEXT.encode()


def test_links_that_leave_the_folder(tmp_path):
    (tmp_path / "private.csv").write_text(TEXT)
    source = linked(tmp_path, tmp_path / "private.csv")
    for use in (source.read, source.stamp):
        with pytest.raises(DataError, match=r"walk_1\.txt is a link that lead"):
            use(NAME)


def test_links_within_the_folder(tmp_path):
    source = linked(tmp_path, tmp_path / "root" / "kept.csv")
    (tmp_path / "root" / "kept.csv").write_text(TEXT)
    assert source.read(NAME) == TEXT.encode()


@pytest.mark.parametrize("target", ["nowhere", "walk_1.txt"])
def test_links_to_nothing(tmp_path, target):
    source = linked(tmp_path, target)
    for use in (source.read, source.stamp):
        with pytest.raises(DataError, match=r"walk_1\.txt cannot be read"):
            use(NAME)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="No pipes here")
def test_pipes_are_not_waited_for(tmp_path):
    (tmp_path / "root").mkdir()
    os.mkfifo(tmp_path / "root" / "a.csv")
    source = Source(tmp_path / "root")
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("It waits"))
    signal.alarm(10)
    try:
        with pytest.raises(DataError, match=r"a\.csv is not a regular file"):
            source.read("a.csv")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_names_with_control_characters(tmp_path):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wave/\x1b[2Ja.csv", TEXT)
    with pytest.raises(DataError, match=r"evil\.zip.*'wave/\\x1b\[2Ja"):
        Source(path)


def test_folders_that_are_no_unicode(tmp_path):
    folder = os.fsencode(tmp_path) + b"/w\xff"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("The file system holds only Unicode names")
    open(folder + b"/a.csv", "w").close()
    with pytest.raises(DataError, match=r"w.*udcff"):
        Source(tmp_path)

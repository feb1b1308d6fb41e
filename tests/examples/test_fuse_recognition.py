import json

import pytest

from tests.examples.scripts import run_script

# Each is wrong about another recording, and less sure of it.
CLIPS = "recording,class,run,walk\na,run,0.4,0.6\nb,walk,0.1,0.9\n"
WINDOWS = "recording,class,run,walk\nb,walk,0.6,0.4\na,run,0.8,0.2\n"


@pytest.fixture
def fuse(tmp_path, capsys):
    def fuse(*tables):
        folders = [tmp_path / str(i) for i in range(len(tables))]
        for folder, table in zip(folders, tables, strict=True):
            folder.mkdir()
            (folder / "scores.csv").write_text(table)
        output = tmp_path / "out"
        run_script("fuse_recognition.py", *folders, "--output", output)
        return capsys.readouterr().out, output

    return fuse


def test_errors_of_one_network_are_outvoted(fuse):
    out, folder = fuse(CLIPS, WINDOWS)
    assert "2 recordings: top-1 100.0%" in out
    metrics = json.loads((folder / "recognition.json").read_text())
    assert metrics["confusion"] == [[1, 0], [0, 1]]
    header, *rows = (folder / "scores.csv").read_text().splitlines()
    assert header == "recording,class,run,walk"
    for row, expected in zip(rows, ([0.6, 0.4], [0.35, 0.65]), strict=True):
        cells = [float(cell) for cell in row.split(",")[2:]]
        assert cells == pytest.approx(expected)


@pytest.mark.parametrize(
    "other",
    [
        WINDOWS.replace("b,", "c,"),
        WINDOWS.replace("walk", "jump"),
        WINDOWS.replace("a,run", "a,walk"),
    ],
)
def test_different_recordings_or_classes(fuse, other):
    with pytest.raises(SystemExit, match="Error: Expected the same classes"):
        fuse(CLIPS, other)


@pytest.mark.parametrize(
    "table",
    [
        "",
        CLIPS.splitlines()[0],
        CLIPS + "\n",
        CLIPS + "a,run,1,0\n",
        CLIPS + "c,jump,1,0\n",
        CLIPS.replace("0.9", "?"),
        CLIPS.replace("0.9", "nan"),
        CLIPS.replace("0.9", "-1"),
        CLIPS.replace(",0.9", ""),
    ],
)
def test_damaged_scores(fuse, table):
    with pytest.raises(SystemExit, match=r"^Error: .*1/scores\.csv does not"):
        fuse(CLIPS, table)


@pytest.mark.parametrize("arguments", [["0", "1/../0"], ["0", "--output", "0"]])
def test_a_folder_is_used_once(fuse, tmp_path, monkeypatch, arguments):
    fuse(CLIPS, WINDOWS)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="Error: Expected different folders"):
        run_script("fuse_recognition.py", *arguments)
    assert (tmp_path / "0/scores.csv").read_text() == CLIPS


def test_no_scores(tmp_path):
    with pytest.raises(SystemExit, match=r"^Error: .*scores\.csv"):
        run_script("fuse_recognition.py", tmp_path)

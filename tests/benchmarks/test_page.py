"""The page of benchmarks shows what the files beside it hold."""

import argparse
import json
import re
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import record

PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"
# Measured for one shape only, since all of them take hours; what would need a
# GPU; and a section without numbers.
WITHOUT_FILE = {"operators", "On a GPU", "Your own operator"}


def sections(page):
    _, *found = re.split(r"^## (.*)\n", page.read_text(), flags=re.M)
    return dict(zip(found[::2], found[1::2], strict=True))


def test_page_shows_its_files():
    found = sections(PAGE)
    files = {path.stem: path for path in PAGE.with_suffix("").glob("*.json")}
    assert found.keys() - WITHOUT_FILE <= files.keys() <= found.keys()
    for name, path in files.items():
        tables = map(report.to_markdown, json.loads(path.read_text()))
        assert found[name].strip().startswith("\n\n".join(tables)), name


def measured(folder, milliseconds):
    table = report.Table("Times", ["what", "ms", "quartiles"])
    table.add("ours", milliseconds, (1.0, 2.0, 3.0))
    table.attempt(["rival"], lambda: 1 / 0)
    args = argparse.Namespace(
        json=folder / "found.json", dtype="float32", threads=1
    )
    with pytest.raises(SystemExit, match="1 rows failed"):
        report.write(args, [table])
    return json.loads(args.json.read_text())


def test_a_page_is_what_was_printed(tmp_path, capsys):
    found = measured(tmp_path, 0.5)
    printed = capsys.readouterr().out.strip()
    assert "| ours | 0.500 | 2.00 (1.00-3.00) |" in printed
    assert "| rival | ZeroDivisionError: division by zero |" in printed
    assert report.to_markdown(found).endswith(printed)


def test_record_keeps_remarks_and_other_sections(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\nIntroduction.\n\n## edges\n\nOld\n\n| a |\n|---|\n| 1 |\n\n"
        "A remark.\n\n## On a GPU\n\n| kept |\n"
    )
    found = measured(tmp_path, 0.5)
    for _ in range(2):
        record(page, "edges", [found, found])
        record(page, "blocks", [found])
        text = page.read_text()
        assert text.startswith("# Title\n\nIntroduction.\n\n## edges\n")
        assert "|\n\nA remark.\n\n## blocks\n\n" in text
        assert text.endswith("|\n\n## On a GPU\n\n| kept |\n")
        assert "Old" not in text
        assert text.count(report.to_markdown(found)) == 3
    (kept,) = json.loads((tmp_path / "page/blocks.json").read_text())
    assert kept == found


def test_command_leaves_out_where_it_writes(monkeypatch):
    words = [
        "/x/benchmarks/edges.py",
        "--quick",
        "--json",
        "a",
        "--seconds",
        "3",
    ]
    monkeypatch.setattr("sys.argv", words)
    assert report.command() == "python -m benchmarks.edges --quick"

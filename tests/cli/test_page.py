"""The commands of the page work, in the order in which it gives them."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"


@pytest.fixture(scope="module")
def blocks():
    return re.findall(r"```(python|sh)\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_commands_of_the_page(ok, blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for kind, text in blocks:
        if kind == "python":
            exec(text, names)
            continue
        for line in text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "symgnn-pyg"
            assert ok(*arguments)
    written = {path.name for path in tmp_path.iterdir()}
    assert {"future.npy", "clip.png", "wave.html", "wave.csv"} <= written

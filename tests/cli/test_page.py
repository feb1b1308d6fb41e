"""The commands of a page work, in the order in which it gives them."""

import re
import shlex
from functools import partial
from pathlib import Path

import pytest

from symgnn_pyg.nn import SymGNN

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = {
    "command_line.md": {"future.npy", "clip.png", "wave.html", "wave.csv"},
    "worked_examples.md": {"future.csv", "hands.npy"},
}


@pytest.mark.parametrize("page", WRITTEN)
def test_commands_of_the_page(ok, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Its head would take most of the time.
    small = partial(SymGNN.light, hidden_channels=8)
    monkeypatch.setattr(SymGNN, "light", small)
    source = re.sub(r"--steps \d+", "--steps 2", (DOCS / page).read_text())
    blocks = re.findall(r"```(python|sh)\n(.*?)```", source, re.DOTALL)
    names = {}
    for kind, text in blocks:
        if kind == "python":
            exec(text, names)
            continue
        for line in text.replace("\\\n", "").splitlines():
            program, *arguments = shlex.split(line)
            assert program == "symgnn-pyg"
            assert ok(*arguments)
    written = {path.name for path in tmp_path.iterdir()}
    assert written >= WRITTEN[page]
    if page == "worked_examples.md":
        assert names["answer"].action[0] in ("wave", "pinch", "turn")
        assert names["answer"].future.shape == (2, 10, 21, 3)

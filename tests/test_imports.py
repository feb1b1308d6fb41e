"""What CONTRIBUTING.md says about imports holds."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "symgnn_pyg"
ROW = re.compile(r"^\| (`.*?) \|.*\| (.*?) \|$", re.M)
OURS = re.compile(r"symgnn_pyg\.(\w+)")


def names(cell):
    return {
        name.removesuffix("/").removesuffix(".py")
        for name in re.findall(r"`([^`]+)`", cell)
    }


ROWS = [
    (names(of), names(allowed))
    for of, allowed in ROW.findall((ROOT / "CONTRIBUTING.md").read_text())
]
MODULES = {
    path.stem
    for path in PACKAGE.iterdir()
    if (path.is_dir() or path.suffix == ".py") and path.stem[0] != "_"
}


def imported(path):
    """The full names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_each_module_is_in_one_row():
    listed = [name for of, _ in ROWS for name in of]
    assert sorted(listed) == sorted(MODULES)
    assert set().union(*(allowed for _, allowed in ROWS)) <= MODULES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(sorted(row[0])))
def test_imports_are_those_that_the_row_allows(row):
    of, allowed = row
    for name in of:
        folder = PACKAGE / name
        files = folder.rglob("*.py") if folder.is_dir() else [f"{folder}.py"]
        for path in map(Path, files):
            found = (OURS.match(full) for full in imported(path))
            used = MODULES.intersection(ours[1] for ours in found if ours)
            assert used <= of | allowed, path.relative_to(ROOT)

import importlib
import pkgutil
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch

import symgnn_pyg
from symgnn_pyg import ops
from tests.cli.test_page import WRITTEN

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))
import api_pages  # noqa: E402
import pictures  # noqa: E402

plt.switch_backend("Agg")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"] + [
    page
    for page in sorted(ROOT.glob("docs/**/*.md"))
    if "_build" not in page.parts
]
# tests/cli/test_page.py runs the others and checks what they write.
WITH_CODE = [
    page
    for page in PAGES
    if pictures.code_blocks(page) and page.name not in WRITTEN
]


def page_id(page):
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


@pytest.mark.parametrize("page", WITH_CODE, ids=page_id)
def test_code_prints_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, outputs = pictures.run(page)
    plt.close("all")
    for block, output in zip(pictures.code_blocks(page), outputs, strict=True):
        if block.approximate:
            assert without_digits(output) == without_digits(block.output)
        else:
            assert output == block.output


def without_digits(output):
    numbers = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?")
    return " ".join(numbers.sub("0", output).split())


def test_the_forecast_of_traffic_beats_the_last_value(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs/own_models.md"
    module, _ = pictures.run(page, "steps = 3", "steps = 40", num_blocks=3)
    truth, last = module.batch.y, module.last
    assert torch.all(module.near[-19:].count_nonzero(dim=1) == 1)
    error, still = (
        (values - truth).abs().mean() for values in (module.forecast, last)
    )
    assert error < 0.97 * still


def test_code_is_found():
    found = {page.stem for page in WITH_CODE}
    assert {"README", "get_started", "own_models", "training"} <= found


@each_page
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    local = [link for link in links if not link.startswith("http")]
    assert all((page.parent / link).exists() for link in local), local


@each_page
def test_names_exist(page):
    modules = {full.split(".")[1] for full in api_pages.spellings().values()}
    pattern = (
        rf"`(?:symgnn_pyg\.)?((?:{'|'.join(modules)})(?:\.\w+)+)(?:\(\))?`"
    )
    for name in re.findall(pattern, page.read_text()):
        if not name.endswith(".py"):
            pkgutil.resolve_name(f"symgnn_pyg.{name}")


def test_pictures_are_made_by_the_code_of_their_pages():
    for name, (quick, _) in pictures.PAGES.items():
        text = (ROOT / "docs" / name).read_text()
        assert quick in text
        shown = set(re.findall(r"\]\(pictures/([\w.]+)\)", text))
        made = set(re.findall(r'"(\w+\.(?:svg|gif))"', text))
        assert shown == made > set()


def test_functions_that_draw_have_a_thumbnail():
    (page,) = (
        each
        for each in api_pages.pages()
        if each.title == "symgnn_pyg.visualization"
    )
    text = api_pages.render(page)
    found = re.findall(
        r"image:: \.\./(\S+)\n   :alt: Drawn with (\w+)\n"
        r"   :target: \.\./(\w+)\.html\n.*\n\n\.\. autofunction:: (\w+)",
        text,
    )
    # A page for the browser has no picture.
    assert {name for *_, name in found} == {*page.names} - {"view_poses"}
    for picture, alt, source, name in found:
        assert alt == name
        assert (ROOT / "docs" / picture).exists()
        assert f"({picture})" in (ROOT / f"docs/{source}.md").read_text()


def test_each_public_name_has_an_entry(tmp_path):
    api_pages.write(tmp_path)
    entries = []
    for page in tmp_path.glob("*.rst"):
        module = ""
        for line in page.read_text().splitlines():
            if line.startswith("- "):  # a summary, which Sphinx must parse
                assert line.count("`") % 2 == 0, line
            if found := re.match(r"\.\. currentmodule:: (\S+)", line):
                module = found[1]
            pattern = r"\.\. (?:autoclass|autofunction|data):: (\w+)"
            if found := re.match(pattern, line):
                entries.append(api_pages.value_of(f"{module}.{found[1]}"))
    packages = pkgutil.walk_packages(symgnn_pyg.__path__, "symgnn_pyg.")
    for name in ["symgnn_pyg", *(info.name for info in packages)]:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            assert any(value is entry for entry in entries), (name, public)


def test_the_reference_needs_no_triton(monkeypatch):
    expected = api_pages.pages()
    kernels = "symgnn_pyg.ops.triton.kernels"
    monkeypatch.delitem(sys.modules, kernels, raising=False)
    monkeypatch.setitem(sys.modules, "triton", None)
    assert api_pages.pages() == expected


def test_each_formula_is_explained():
    text = (ROOT / "docs/operators.md").read_text()
    assert all(f"\n| `{formula}` |" in text for formula in ops.formula_names())

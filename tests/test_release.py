"""What a release says of itself agrees."""

import re
import runpy
from configparser import ConfigParser
from pathlib import Path

import symgnn_pyg

ROOT = Path(__file__).parents[1]


def read(name):
    return (ROOT / name).read_text()


def test_version_and_date():
    version, day = re.search(
        r"^## (\S+) - (\d{4}-\d\d-\d\d)$", read("CHANGELOG.md"), re.M
    ).groups()
    assert version == symgnn_pyg.__version__
    citation = read("CITATION.cff")
    assert f"\nversion: {version}\n" in citation
    assert f"\ndate-released: {day}\n" in citation


def test_readme_on_an_index():
    for_index = runpy.run_path(str(ROOT / "setup.py"))["for_index"]
    readme = read("README.md")
    shown = for_index(readme)
    links = re.compile(r"\]\(([^)]*)\)")
    remote = [link for link in links.findall(readme) if link.startswith("http")]
    assert links.findall(shown) == remote != []
    assert "Get started (`docs/get_started.md`)" in shown
    assert shown.count("```") == readme.count("```")


def test_versions_are_tested():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    classifiers = setup["metadata"]["classifiers"]
    pythons = re.findall(r"Python :: (\d+\.\d+)", classifiers)
    requires = setup["options"]["install_requires"]
    (oldest,) = re.findall(r"^torch>=(\S+)$", requires, re.M)
    (pinned,) = re.findall(r"^torch==(\d+\.\d+)", read("constraints.txt"), re.M)
    workflow = read(".github/workflows/test.yml")
    tested = {
        name: re.findall(r'"(\d+\.\d+)', versions)
        for name, versions in re.findall(r"(\w+): \[(.*)\]", workflow)
    }
    assert set(pythons) <= set(tested["python"])
    assert {oldest, pinned} <= set(tested["torch"])
    floor = setup["options"]["python_requires"].removeprefix(">=")
    assert floor == min(tested["python"])

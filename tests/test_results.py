"""Pages of results show what the files beside them hold."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results"
NETWORKS = ("cmu-light-long", "cmu-light-short")


@pytest.fixture(params=NETWORKS)
def network(request):
    path = RESULTS / f"{request.param}.json"
    return request.param, json.loads(path.read_text())


def numbers(values, digits=3):
    return ["-" if v is None else f"{v:.{digits}f}" for v in values]


def rows(path, separator):
    lines = path.read_text().replace(separator, " ").splitlines()
    return {" ".join(line.split()) for line in lines}


def test_page_of_the_networks(network):
    _, metrics = network
    shown = rows(RESULTS / "cmu.md", " ")
    for action, errors in [
        *metrics["per_action"].items(),
        ("average", metrics["average"]),
    ]:
        for name, values in errors.items():
            words = f"{action} {name}".replace("_", " ").split()
            assert " ".join([*words, *numbers(values)]) in shown
    for name, values in metrics["positions"]["average"].items():
        words = f"average {name}".replace("_", " ").split()
        assert " ".join([*words, *numbers(values, digits=1)]) in shown
    accuracies = "top-1 {top1:.1%}, top-5 {top5:.1%}".format_map(metrics)
    assert f"recognition of {metrics['recognition']}: {accuracies}" in shown


def test_readme_and_cards(network):
    name, metrics = network
    errors = {key: numbers(row) for key, row in metrics["average"].items()}
    # The README has the columns of the longer network.
    more = ["-"] * (6 - len(metrics["horizons_ms"]))
    shown = rows(ROOT / "README.md", "|")
    assert " ".join([f"`{name}`", *errors["model"], *more]) in shown
    if not more:
        for title, row in (
            ("zero velocity", "zero_velocity"),
            ("linear regression", "linear_regression"),
            ("the same, mean with its mirror image", "mirror_average"),
            ("published Sym-GNN", "published"),
        ):
            assert " ".join([title, *errors[row]]) in shown
    card = ROOT / "symgnn_pyg/weights" / name / "README.md"
    shown = rows(card, "|")
    assert " ".join(["this model", *errors["model"]]) in shown
    assert " ".join(["zero velocity", *errors["zero_velocity"]]) in shown
    accuracies = "top-1 {top1:.1%}, top-5 {top5:.1%}".format_map(metrics)
    assert accuracies in " ".join(card.read_text().split())

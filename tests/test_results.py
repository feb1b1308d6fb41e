"""Pages of results show what the files beside them hold."""

import json
from pathlib import Path
from statistics import mean

import pytest

from examples.paper.render import to_markdown

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results"
NETWORKS = ("cmu-light-long", "cmu-light-short")
PAPER = sorted([*RESULTS.glob("table-*.md"), *RESULTS.glob("figure-*.md")])


@pytest.fixture(params=NETWORKS)
def network(request):
    path = RESULTS / f"{request.param}.json"
    return request.param, json.loads(path.read_text())


def numbers(values, digits=3):
    return ["-" if v is None else f"{v:.{digits}f}" for v in values]


def rows(path, separator):
    lines = path.read_text().replace(separator, " ").splitlines()
    return {" ".join(line.split()) for line in lines}


@pytest.mark.parametrize("page", PAPER, ids=lambda page: page.stem)
def test_pages_of_the_paper(page):
    content = json.loads(page.with_suffix(".json").read_text())
    assert to_markdown(content) == page.read_text()


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


def test_page_of_the_folds():
    found = json.loads((RESULTS / "cmu-folds.json").read_text())
    page = "\n".join(map(str.strip, (RESULTS / "cmu.md").open()))
    text = [found["protocol"]]
    for name, parts in found["networks"].items():
        text.append(name)
        for part, cells in parts.items():
            shown = "{count} {part:10} top-1 {top1:.1%}, top-5 {top5:.1%}"
            text.append(shown.format(part=part, **cells))
    assert "\n".join(text) in page


def test_page_of_bandai_namco():
    name = "bandai_namco"
    found = json.loads((RESULTS / f"{name}.json").read_text())
    shown = rows(RESULTS / f"{name}.md", "|")

    def check(*cells):
        text = " ".join(cells)
        assert any(text in row for row in shown), text

    for runs in grouped(found["recordings_30_epochs"], "network"):
        top1 = [100 * run["top1"] for run in runs]
        error = mean(run["calibration_error"] for run in runs)
        check(*numbers([*top1, mean(top1)], 1), "%", f"{error:.1%}"[:-1], "%")
        by_ratio = zip(*(run["early_top1"] for run in runs), strict=True)
        check(*numbers([100 * mean(top1) for top1 in by_ratio], 1))
    for run in found["recordings_longer"]:
        accuracies = numbers([100 * run["top1"], 100 * run["top5"]], 1)
        check(str(run["epochs"]), " % ".join(accuracies), "%")
    for runs in grouped(found["windows_1000_steps"], "task"):
        if runs[0]["task"] != "prediction":
            top1 = [100 * run["top1"] for run in runs]
            check(*numbers([*top1, mean(top1)], 1), "%")
        if runs[0]["task"] != "recognition":
            errors = zip(*(run["cm"]["Sym-GNN"] for run in runs), strict=True)
            check(*numbers(map(mean, errors), 2))
    for run in found["windows_3500_steps"]:
        errors = run["cm"]
        accuracies = [100 * run["windows_top1"], 100 * run["top1"]]
        check("zero velocity", *numbers(errors["zero velocity"], 2))
        check("linear regression", *numbers(errors["linear regression"], 2))
        shares = " % ".join(numbers(accuracies, 1))
        check(*numbers(errors["Sym-GNN"], 2), shares, "%")
    for key in ("fused", "fused_three_seeds"):
        check(" % ".join(numbers([100 * x for x in found[key].values()], 1)))
    for name, key in (("bones", "bones_top1"), ("both", "top1")):
        top1 = [100 * run[key] for run in found["joints_and_bones"]]
        check(name, *numbers([*top1, mean(top1)], 1), "%")
    sym_gnn = grouped(found["recordings_30_epochs"], "network")[0]
    readme = " ".join((ROOT / "README.md").read_text().split())
    ours = f"{mean(run['top1'] for run in sym_gnn):.1%}".replace("%", " %")
    assert f"Sym-GNN recognises {ours}" in readme


def grouped(runs, key):
    names = dict.fromkeys(run[key] for run in runs)
    return [[run for run in runs if run[key] == name] for name in names]


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

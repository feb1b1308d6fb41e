import json

import pytest
import torch
from recognition_report import print_report, recognition_report, write_report

CLASSES = ["run", "walk", "wave"]
# Two of run are right, one is taken for walk; walk is right; wave is absent.
LABELS = torch.tensor([0, 0, 0, 1])
FOUND = torch.tensor([0, 0, 1, 1])


@pytest.fixture
def metrics():
    scores = torch.full((4, 3), 0.1)
    scores[torch.arange(4), FOUND] = 0.8
    return recognition_report(scores.log(), LABELS, CLASSES)


def test_metrics(metrics):
    assert metrics["samples"] == 4
    assert metrics["top1"] == 0.75
    assert "top5" not in metrics
    # A probability of 0.8, of which three fourths are right.
    assert metrics["calibration_error"] == pytest.approx(0.05)
    assert metrics["confusion"] == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    run, walk = metrics["per_class"]["run"], metrics["per_class"]["walk"]
    assert run["recall"] == pytest.approx(2 / 3)
    assert (run["precision"], run["taken_for"]) == (1.0, "walk")
    assert (walk["recall"], walk["precision"]) == (1.0, 0.5)
    assert walk["taken_for"] is None
    assert "wave" not in metrics["per_class"]


def test_table(metrics, capsys):
    print_report(metrics, "recordings")
    first, _, run, walk = capsys.readouterr().out.strip().splitlines()
    assert first == "4 recordings: top-1 75.0%, calibration error 5.0%"
    assert run.split() == ["run", "3", "66.7%", "100.0%", "walk"]
    assert walk.split() == ["walk", "1", "100.0%", "50.0%", "-"]


def test_files(metrics, tmp_path):
    write_report(metrics, tmp_path)
    assert json.loads((tmp_path / "recognition.json").read_text()) == metrics
    assert (tmp_path / "confusion.png").stat().st_size > 1000

import argparse
import json
import signal
import time
from functools import partial

import pytest

from benchmarks import gpu, measure, report
from symgnn_pyg import ops


@pytest.fixture
def table():
    return report.Table("Rows", ["shape", "candidate", "time"])


@pytest.fixture
def args(tmp_path):
    return argparse.Namespace(
        json=tmp_path / "found.json", dtype="float32", threads=1
    )


def broken():
    raise ValueError("a | b\nc")


def test_a_row_that_fails_does_not_lose_the_others(table, args, capsys):
    work = {"first": lambda: 1, "broken": broken, "last": lambda: 2}
    found = table.attempts(["2 3"], work)
    assert found == {"first": 1, "last": 2}
    for name, seconds in found.items():
        table.add("2 3", name, float(seconds))
    with pytest.raises(SystemExit, match="1 rows failed"):
        report.write(args, [table])
    (written,) = json.loads(args.json.read_text())["tables"]
    assert written["rows"] == [
        {
            "shape": "2 3",
            "candidate": "broken",
            "error": "ValueError: a / b c",
        },
        {"shape": "2 3", "candidate": "first", "time": 1.0},
        {"shape": "2 3", "candidate": "last", "time": 2.0},
    ]
    assert "| 2 3 | broken | ValueError: a / b c |" in capsys.readouterr().out


def test_ratios_to_one_that_failed_are_missing():
    ((low, median, high),) = measure.ratios({"ours": [1.0, 2.0]}, "x").values()
    assert low != low
    assert median != median
    assert high != high


@pytest.fixture
def _alarm(monkeypatch):
    monkeypatch.setattr(report._Attempts, "stopped", False)
    before = signal.signal(signal.SIGALRM, report._Attempts.stop)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("_alarm")
def test_rows_that_are_left_when_time_is_up_say_so(table):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    work = dict.fromkeys(["under way", "not started"], partial(time.sleep, 60))
    assert table.attempts(["2 3"], work) == {}
    assert [row["error"] for row in table.rows] == [
        "TimeoutError: no time was left"
    ] * 2


def test_quick_run_goes_on_after_a_stage_that_fails(tmp_path):
    stages = [gpu.Stage("missing", 60, ()), gpu.Stage("parity", 60, ())]
    arguments = ["--quick", "--device", "cpu", "--seconds", "600", "--out"]
    with pytest.raises(SystemExit, match=r"failed:\n.*missing.*quick$"):
        gpu.main([*arguments, str(tmp_path / "page")], stages)
    page = (tmp_path / "page/gpu.md").read_text()
    missing, parity = json.loads((tmp_path / "page/gpu.json").read_text())
    assert missing["error"] == "exit status 1"
    assert "Not complete: exit status 1" in page
    assert "No module named benchmarks.missing" in page
    assert parity["error"] == ""
    errors, deterministic = parity["tables"]
    for row in errors["rows"]:
        assert max(row["value"], row["gradients"]) <= row["bound"]
    named = {row["what"] for row in errors["rows"]}
    # There is no GPU here.
    for formula in {*ops.formula_names()} - {"triton"}:
        assert f"graph_mix, {formula}" in named
        assert f"graph_mix of unequal sizes, {formula}" in named
    assert {"edge_mix, torch", "pair_mean", "light network"} <= named
    assert all(row["what"] in page for row in errors["rows"])
    assert len(deterministic["rows"]) == 1


def test_no_stage_starts_when_time_is_up(tmp_path):
    with pytest.raises(SystemExit, match="parity"):
        gpu.main(["--seconds", "0", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert len(found) == len(gpu.STAGES)
    assert {stage["error"] for stage in found} == {"no time was left"}


def test_names_are_checked(capsys):
    with pytest.raises(SystemExit):
        gpu.main(["parities", "--out", "x"])
    assert "expected names from parity, roofline" in capsys.readouterr().err

import re
import sys

import pytest

from symgnn_pyg.training import SafetensorsCheckpoint, TrainingBar


def bar_of(text):
    """What a terminal would show last, and the shares that were shown."""
    lines = [line for line in text.split("\r") if "%" in line]
    return lines[-1], [int(line.split("%")[0]) for line in lines]


def test_one_bar_over_the_whole_training(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = {"enable_progress_bar": True, "callbacks": [TrainingBar(interval=0)]}
    tiny.fit(tmp_path, **bar, max_steps=8)
    last, shares = bar_of(capsys.readouterr().err)
    assert shares == sorted(shares)
    assert set(shares) == {0, 12, 25, 38, 50, 62, 75, 88, 100}
    for text in ("step=8", "recognition=", "prediction=", "val_score="):
        assert text in last
    tiny.fit(tmp_path, **bar, resume=True)
    assert bar_of(capsys.readouterr().err)[1][0] == 80


def test_a_log_that_is_a_file_has_one_line_per_validation(
    tiny, tmp_path, capsys
):
    tiny.fit(tmp_path, enable_progress_bar=True, max_steps=8)
    *lines, throughput = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"[\d,.]+ steps, [\d,]+ samples per second", throughput)
    validations = [line for line in lines if "val_score=" in line]
    assert len(validations) == len(lines) > 0
    assert validations[-1].lstrip().startswith("62% learning_rate=0.000")
    assert "step=5, " in validations[-1]


def test_a_log_without_validation_has_one_line_per_tenth(
    tiny, tmp_path, capsys
):
    tiny.fit(
        tmp_path, enable_progress_bar=True, max_steps=20, limit_val_batches=0
    )
    *lines, _ = capsys.readouterr().err.splitlines()
    shares = [int(line.split("%")[0]) for line in lines]
    assert shares == list(range(10, 101, 10))
    assert all("step=" in line and "best" not in line for line in lines)


def test_lines_tell_which_weights_are_kept(tiny, tmp_path, capsys):
    tiny.fit(
        tmp_path,
        transform=False,
        enable_progress_bar=True,
        max_epochs=6,
        task={"recipe": "light", "learning_rate": 0.02},
    )
    shown = capsys.readouterr().err.splitlines()
    lines = [line for line in shown if "val_score=" in line]
    scores = [float(re.search(r"val_score=([^,]+)", x)[1]) for x in lines]
    assert len(scores) == 6
    lowest = [min(scores[: i + 1]) == score for i, score in enumerate(scores)]
    assert [line.endswith("kept as the best") for line in lines] == lowest
    assert not all(lowest)
    best = SafetensorsCheckpoint().load_checkpoint(tmp_path / "best.ckpt")
    assert best["metrics"]["val_score"] == pytest.approx(min(scores), abs=5e-3)

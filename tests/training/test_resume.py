import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from symgnn_pyg.training import load_best

SCRIPT = Path(__file__).with_name("tiny_run.py")


def assert_equal(one, other):
    one, other = one.state_dict(), other.state_dict()
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_runs_repeat_themselves(tiny, finished, tmp_path):
    for name in "ab":
        task, data, trainer = tiny.make_run(tmp_path / name)
        trainer.fit(task, data)
        assert_equal(task, finished)


def test_seed_matters(tiny, finished, tmp_path):
    task, data, trainer = tiny.make_run(tmp_path, task={"seed": 1})
    trainer.fit(task, data)
    with pytest.raises(AssertionError):
        assert_equal(task, finished)


@pytest.mark.parametrize(
    "point", ["writing", "after validation", "second epoch", "last validation"]
)
def test_killed_and_resumed_is_as_if_never_killed(
    tiny, finished, best, tmp_path, point
):
    command = [sys.executable, str(SCRIPT), str(tmp_path), point]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    killed = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    task, data, trainer = tiny.make_run(tmp_path)
    trainer.fit(task, data, ckpt_path=tmp_path / "last.ckpt")
    assert trainer.global_step == 10
    assert_equal(task, finished)
    load_best(trainer, task)
    assert_equal(task, best)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("workers", [0, 1])
def test_workers_do_not_matter(tiny, finished, tmp_path, workers):
    task, data, trainer = tiny.make_run(
        tmp_path, data={"num_workers": workers}, max_epochs=1
    )
    trainer.fit(task, data)
    other, data, trainer = tiny.make_run(tmp_path, max_epochs=1)
    trainer.fit(other, data)
    assert_equal(task, other)

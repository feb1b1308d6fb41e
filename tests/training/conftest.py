import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).with_name("tiny_run.py")


@pytest.fixture(scope="session")
def tiny():
    """The module of the tiny run."""
    spec = importlib.util.spec_from_file_location("tiny_run", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def finished(tiny, tmp_path_factory):
    """The task of a run that was never stopped."""
    task, data, trainer = tiny.make_run(tmp_path_factory.mktemp("whole"))
    trainer.fit(task, data)
    assert trainer.global_step == 10
    return task

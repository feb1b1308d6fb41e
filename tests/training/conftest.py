import pytest

from symgnn_pyg.training import load_best


@pytest.fixture(scope="session")
def whole(tiny, tmp_path_factory):
    """Task and trainer of a run that was never stopped."""
    task, trainer = tiny.fit(tmp_path_factory.mktemp("whole"))
    assert trainer.global_step == 10
    return task, trainer


@pytest.fixture(scope="session")
def finished(whole):
    """The task of a run that was never stopped."""
    return whole[0]


@pytest.fixture(scope="session")
def best(tiny, whole, tmp_path_factory):
    """A task with the weights that were best in that run."""
    task, _, _ = tiny.make_run(tmp_path_factory.mktemp("best"))
    load_best(whole[1], task)
    return task

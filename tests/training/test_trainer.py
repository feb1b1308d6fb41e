import errno
import logging
import math
import shutil
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.demos.boring_classes import BoringModel

from symgnn_pyg.training import (
    SafetensorsCheckpoint,
    load_best,
    make_trainer,
)
from symgnn_pyg.training.recipes import progress

NEVER = 1e6


@pytest.fixture(scope="module")
def short_run(tiny, tmp_path_factory):
    """The folder of a finished training."""
    folder = tmp_path_factory.mktemp("short")
    tiny.fit(folder, max_epochs=1)
    return folder


def kept(folder):
    return SafetensorsCheckpoint().load_checkpoint(folder / "last.ckpt")


@pytest.mark.parametrize("validation", [{}, {"limit_val_batches": 0}])
def test_the_end_is_kept(tiny, tmp_path, validation):
    """A longer training goes on from it, bit by bit."""
    arguments = {
        "checkpoint_seconds": NEVER,
        "task": {"recipe": "light"},
        **validation,
    }
    tiny.fit(tmp_path, max_epochs=1, **arguments)
    assert kept(tmp_path)["global_step"] == 5
    task, trainer = tiny.fit(tmp_path, **arguments, resume=True)
    assert trainer.global_step == kept(tmp_path)["global_step"] == 10
    whole, _ = tiny.fit(tmp_path / "whole", **arguments)
    tiny.assert_equal(task, whole)


def test_a_finished_training_stays_as_it_is(tiny, tmp_path):
    task, trainer = tiny.fit(
        tmp_path, checkpoint_seconds=NEVER, transform=False
    )
    found = load_best(trainer, task)
    again, trainer = tiny.fit(
        tmp_path, checkpoint_seconds=NEVER, transform=False, resume=True
    )
    assert trainer.global_step == 10
    assert load_best(trainer, again) == found
    tiny.assert_equal(again, task)


@pytest.mark.parametrize("monitor", ["val_score", "val_error"])
def test_load_best(tiny, tmp_path, monitor):
    """The lowest one."""
    task, data, trainer = tiny.make_run(
        tmp_path, max_epochs=4, transform=False, monitor=monitor
    )
    scores = []
    log = task.log_dict

    def log_dict(values, **kwargs):
        if monitor in values:
            scores.append(float(values[monitor]))
        log(values, **kwargs)

    task.log_dict = log_dict
    trainer.fit(task, data)
    assert len(scores) == 4
    best = load_best(trainer, task)
    assert best[monitor] == pytest.approx(min(scores))
    (found,) = trainer.validate(task, data.val_dataloader(), verbose=False)
    assert best == pytest.approx(found)


def test_the_best_of_an_earlier_training_is_not_loaded(
    tiny, short_run, tmp_path
):
    shutil.copytree(short_run, tmp_path, dirs_exist_ok=True)
    task, trainer = tiny.fit(tmp_path, max_epochs=1, limit_val_batches=0)
    before = {k: v.clone() for k, v in task.state_dict().items()}
    assert (tmp_path / "best.ckpt").exists()
    assert load_best(trainer, task) == {}
    assert all(torch.equal(v, before[k]) for k, v in task.state_dict().items())


def test_best_by_something_else(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"'monitor' .* got 'val_top1'"):
        tiny.make_run(tmp_path, monitor="val_top1")


def test_a_limit_of_time(tiny, tmp_path):
    """Cycle and progress run over the time, and the end is kept."""
    _, trainer = tiny.fit(
        tmp_path,
        max_epochs=None,
        max_time=timedelta(seconds=0.7),
        checkpoint_seconds=NEVER,
    )
    assert trainer.max_epochs == -1
    assert progress(trainer) == 1
    assert kept(tmp_path)["global_step"] == trainer.global_step > 0
    (rate,) = trainer.lr_scheduler_configs[0].scheduler.get_last_lr()
    assert rate == pytest.approx(1.5e-3 * 1e-3, rel=1e-6)


def test_progress_counts_steps(tiny, tmp_path):
    task, data, trainer = tiny.make_run(tmp_path, max_epochs=3, max_steps=6)
    seen = []
    step = task.training_step

    def training_step(*args):
        seen.append(progress(trainer))
        return step(*args)

    task.training_step = training_step
    trainer.fit(task, data)
    assert seen == pytest.approx([k / 6 for k in range(6)])
    assert progress(trainer) == 1


@pytest.mark.parametrize("validates", [True, False])
def test_lightning_is_quiet(validates, tiny, tmp_path, capfd, caplog):
    logger = logging.getLogger("lightning.pytorch")
    logger.setLevel(logging.INFO)
    task, data, trainer = tiny.make_run(tmp_path, max_epochs=1)
    if not validates:
        data.val_dataset = None
    warnings.simplefilter("default")
    make_trainer(tmp_path)
    with warnings.catch_warnings(record=True) as found:
        trainer.fit(task, data)
        warnings.warn("ours", stacklevel=1)
    assert [str(each.message) for each in found] == ["ours"]
    assert capfd.readouterr() == ("", "")
    logger.setLevel(logging.DEBUG)
    make_trainer(tmp_path)
    assert logger.level == logging.DEBUG
    logger.setLevel(logging.INFO)


def test_logs_of_an_earlier_start_stay(tiny, short_run, tmp_path):
    shutil.copytree(short_run, tmp_path, dirs_exist_ok=True)
    tiny.fit(tmp_path, max_epochs=1)
    tables = [
        (tmp_path / f"logs/csv/version_{i}/metrics.csv").read_text()
        for i in (0, 1)
    ]
    assert tables[0] == tables[1]
    assert not math.isnan(float(tables[0].splitlines()[-1].split(",")[-1]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": {"recipe": "light"}}, "was trained with recipe"),
        ({"transform": False}, "another mean or deviation"),
        ({"model": {"channels": (4, 8)}}, "size mismatch"),
        ({"data": {"batch_size": 4, "balanced": True}}, "probabilities"),
    ],
)
def test_a_training_that_is_refused_leaves_no_logs(
    tiny, short_run, monkeypatch, arguments, message
):
    before = sorted(short_run.rglob("*"))
    again, data, trainer = tiny.make_run(short_run, **arguments)
    monkeypatch.setattr(
        "symgnn_pyg.training.motion_data_module.labels_of",
        lambda _: torch.full((4, 2), 0.5),
    )
    with pytest.raises((RuntimeError, ValueError), match=message):
        trainer.fit(again, data, ckpt_path=short_run / "last.ckpt")
    assert sorted(short_run.rglob("*")) == before


def test_a_task_of_ones_own_logs_its_settings(tmp_path):
    class Task(BoringModel):
        def __init__(self, width):
            super().__init__()
            self.save_hyperparameters()

    trainer = make_trainer(
        tmp_path, max_steps=1, limit_val_batches=0, enable_progress_bar=False
    )
    trainer.logger.experiment.log_metrics({"before": 1.0})
    trainer.fit(Task(7))
    folder = tmp_path / "logs/csv/version_0"
    assert "width: 7" in (folder / "hparams.yaml").read_text()
    assert "before" in (folder / "metrics.csv").read_text()


def test_a_checkpoint_removes_no_file_but_its_own(tiny, short_run, tmp_path):
    """And none in the folder that only looks like it."""
    shutil.copytree(short_run, tmp_path / "run")
    strange = kept(tmp_path / "run")
    others = [tmp_path / "other", tmp_path / "run" / "notes"]
    for file in others:
        file.write_text("dear")
    way = str(tmp_path / "run" / ".." / "other")
    for name, state in strange["callbacks"].items():
        if "best_k_models" in state:
            state["dirpath"] = str(tmp_path / "run")
            state["best_model_path"] = state["kth_best_model_path"] = way
            state["best_k_models"] = {way: torch.tensor(1e9)}
            if "_Last" in name:
                state["best_model_path"] = str(others[1])
    SafetensorsCheckpoint().save_checkpoint(strange, tmp_path / "strange.ckpt")
    task, data, trainer = tiny.make_run(tmp_path / "run", max_epochs=2)
    trainer.fit(task, data, ckpt_path=tmp_path / "strange.ckpt")
    assert [file.read_text() for file in others] == ["dear", "dear"]
    assert math.isfinite(load_best(trainer, task)["val_score"])


def test_what_a_checkpoint_names_is_not_opened(tiny, tmp_path):
    _, _, trainer = tiny.make_run(tmp_path)
    best = trainer.checkpoint_callbacks[0]
    state = {**best.state_dict(), "best_model_path": str(tmp_path / "a.ckpt")}
    with pytest.warns(UserWarning, match=r"files other than .*best\.ckpt"):
        best.load_state_dict(state)
    assert best.best_model_path == ""
    state["best_model_path"] = str(tmp_path / "best.ckpt")
    best.load_state_dict(state)
    assert best.best_model_path == state["best_model_path"]


@pytest.mark.parametrize("most", [None, 1e-3])
def test_gradients_are_clipped_as_the_trainer_says(tiny, tmp_path, most):
    task, data, trainer = tiny.make_run(tmp_path, gradient_clip_val=most)
    norms = []
    task.on_train_batch_end = lambda *_: norms.append(
        float(
            torch.nn.utils.get_total_norm([p.grad for p in task.parameters()])
        )
    )
    trainer.fit(task, data)
    if most is None:
        assert min(norms) > 1e-2
    else:
        assert max(norms) <= 1.001 * most


def test_the_usual_norm_of_gradients_is_kept(tiny, whole, tmp_path):
    task, trainer = whole
    norms = task._norms.tolist()
    assert norms[1] > 0
    again, *_ = tiny.make_run(tmp_path)
    again.on_load_checkpoint(kept(Path(trainer.checkpoint_callback.dirpath)))
    assert again._norms.tolist() == norms


def test_one_training_per_folder(tiny, tmp_path):
    """The lock ends with the training, also if that fails."""
    task, data, trainer = tiny.make_run(tmp_path, max_steps=1)
    refused = []

    class Second(Callback):
        def on_train_batch_start(self, *_):
            other, more, second = tiny.make_run(tmp_path)
            with pytest.raises(ValueError, match=r"^Another training is wri"):
                second.fit(other, more)
            assert len(list((tmp_path / "logs/csv").iterdir())) == 1
            assert len(list((tmp_path / "logs/tensorboard").iterdir())) == 1
            refused.append(second.global_step)

    trainer.callbacks.append(Second())
    trainer.fit(task, data)
    assert refused == [0]
    for failing in (True, False):
        task, data, trainer = tiny.make_run(tmp_path, max_steps=2)
        if failing:
            task.training_step = lambda *_: 1 / 0
            with pytest.raises(ZeroDivisionError):
                trainer.fit(task, data)
    trainer.fit(task, data)
    assert trainer.global_step == 2


def test_a_file_system_without_locks(tiny, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    task, data, trainer = tiny.make_run(tmp_path, max_steps=1)
    with pytest.warns(UserWarning, match="has no locks: start only one"):
        trainer.fit(task, data)
    assert trainer.global_step == 1


def test_steps_between_validations(tiny, tmp_path):
    with pytest.raises(ValueError, match="'validate_every' must be at least 1"):
        make_trainer(tmp_path, validate_every=0)
    _, trainer = tiny.fit(
        tmp_path, max_steps=2, max_epochs=-1, validate_every=50
    )
    assert "val_score" in trainer.callback_metrics


@pytest.mark.parametrize(("steps", "interval"), [(4, 12), (9, 20), (-1, 20)])
def test_batches_between_validations(tmp_path, steps, interval):
    """A step has several batches."""
    trainer = make_trainer(
        tmp_path,
        validate_every=20,
        max_steps=steps,
        accumulate_grad_batches=3,
        accelerator="cpu",
    )
    assert trainer.val_check_interval == interval


def test_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    trainer = make_trainer("~/run", accelerator="cpu")
    assert trainer.checkpoint_callback.dirpath == str(tmp_path / "run")
    assert trainer.log_dir.startswith(str(tmp_path / "run"))

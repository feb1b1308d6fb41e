"""Killed workers, clocks that jump and spikes of the loss, in training."""

import os
import signal
import time
from datetime import timedelta
from multiprocessing import active_children

import pytest
import torch
from lightning.pytorch import Callback

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.training import (
    SafetensorsCheckpoint,
    load_best,
    safetensors_checkpoint,
)

# A worker that is killed #####################################################


def kill_and_go_on(worker, batches):
    os.kill(worker.pid, signal.SIGKILL)
    list(batches)


def test_loader_whose_worker_is_killed(tiny, tmp_path):
    _, data, _ = tiny.make_run(tmp_path)
    batches = iter(SkeletonLoader(data.train_dataset, 1, num_workers=1))
    before = set(active_children())
    next(batches)
    (worker,) = set(active_children()) - before
    said = rf"DataLoader worker \(pid(\(s\))? {worker.pid}\) (is killed|exited)"
    with pytest.raises(RuntimeError, match=said):
        kill_and_go_on(worker, batches)


# Interruptions ###############################################################


def test_stopped_before_the_first_best(tiny, tmp_path, monkeypatch):
    """What an earlier run found best in the same folder is not taken for it."""
    task, trainer = tiny.fit(tmp_path, max_epochs=1)
    assert load_best(trainer, task)
    earlier = (tmp_path / "best.ckpt").read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    task, data, trainer = tiny.make_run(tmp_path, checkpoint_seconds=60.0)
    monkeypatch.setattr(safetensors_checkpoint, "save_file", interrupted)
    with pytest.raises(SystemExit):
        trainer.fit(task, data)
    assert trainer.global_step == 5
    before = {name: v.clone() for name, v in task.state_dict().items()}
    assert load_best(trainer, task) == {}
    after = task.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (tmp_path / "best.ckpt").read_bytes() == earlier
    assert not list(tmp_path.glob(".*"))


# Clocks ######################################################################


class Stop(Callback):
    """Ends the run when a step begins."""

    def on_train_batch_start(self, trainer, *_):
        if trainer.global_step == 7:
            raise InterruptedError


def test_clock_jumps_while_training(tiny, tmp_path, request):
    """A limit in time that is far ends nothing, and a run that goes on ends
    where one does that was never stopped and knew no jumps."""
    whole, _ = tiny.fit(tmp_path / "whole")
    request.getfixturevalue("jumping_clock")
    limit = {"max_time": timedelta(days=1)}
    folder = tmp_path / "stopped"
    task, data, trainer = tiny.make_run(folder, callbacks=[Stop()], **limit)
    with pytest.raises(InterruptedError):
        trainer.fit(task, data)
    task, trainer = tiny.fit(folder, **limit, resume=True)
    assert trainer.global_step == 10
    tiny.assert_equal(task, whole)


@pytest.mark.usefixtures("jumping_clock")
def test_limits_in_time_hold_when_the_clock_jumps(tiny, tmp_path):
    task, data, trainer = tiny.make_run(
        tmp_path,
        max_epochs=None,
        max_time=timedelta(seconds=1),
        val_check_interval=timedelta(seconds=0.2),
        check_val_every_n_epoch=None,
    )
    start = time.monotonic()
    trainer.fit(task, data)
    assert trainer.global_step > 0
    assert time.monotonic() - start >= 1
    assert (tmp_path / "best.ckpt").exists()


# A spike #####################################################################


class Norms(Callback):
    """The norm of the gradients of each step, before and after clipping."""

    def __init__(self):
        self.before, self.after, self.scores = [], [], []

    def on_before_optimizer_step(self, trainer, task, optimizer):
        self.before.append(norm(task))

    def on_train_batch_end(self, trainer, task, *_):
        self.after.append(norm(task))

    def on_validation_end(self, trainer, task):
        self.scores.append(float(trainer.callback_metrics["val_score"]))


def norm(task):
    grads = [p.grad for p in task.parameters() if p.grad is not None]
    return float(torch.stack([grad.norm() for grad in grads]).norm())


SPIKE = 7


def scaled_batch(training_step, batch, batch_idx):
    batch.x, batch.future = 1e4 * batch.x, 1e4 * batch.future
    return training_step(batch, batch_idx)


def scaled_loss(training_step, batch, batch_idx):
    return 1e4 * training_step(batch, batch_idx)


@pytest.mark.parametrize("spike", [scaled_batch, scaled_loss])
def test_spike_of_the_loss(tiny, tmp_path, spike):
    """In the middle of the second epoch. Errors are absolute, and features
    normalised, so that a batch of large numbers has no large slope."""
    norms, losses = Norms(), []
    task, data, trainer = tiny.make_run(tmp_path, callbacks=[norms])
    training_step = task.training_step

    def step(batch, batch_idx):
        if trainer.global_step == SPIKE:
            losses.append(spike(training_step, batch, batch_idx))
        else:
            losses.append(training_step(batch, batch_idx))
        return losses[-1]

    task.training_step = step
    trainer.fit(task, data)
    assert trainer.global_step == 10
    assert float(losses[SPIKE]) > 1e3 * float(losses[SPIKE - 1])
    usual = max(norms.before[:SPIKE])
    assert norms.after[SPIKE] <= 3.01 * usual
    if spike is scaled_loss:
        assert norms.before[SPIKE] > 100 * usual
    assert all(value.isfinite().all() for value in task.state_dict().values())
    assert load_best(trainer, task)["val_score"] == min(norms.scores)
    kept = SafetensorsCheckpoint().load_checkpoint(tmp_path / "last.ckpt")
    assert kept["global_step"] == 10

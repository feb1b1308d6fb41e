import signal
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback

from symgnn_pyg.training import SymGNNTask, load_best
from symgnn_pyg.transforms import Standardize


def test_runs_repeat_themselves(tiny, finished, tmp_path):
    task, _ = tiny.fit(tmp_path)
    tiny.assert_equal(task, finished)


def test_seed_matters(tiny, finished, tmp_path):
    task, _ = tiny.fit(tmp_path, task={"seed": 1})
    with pytest.raises(AssertionError):
        tiny.assert_equal(task, finished)


def train_until_killed(tiny, folder, point):
    tiny.fit(folder, **tiny.KILLS[point]())


@pytest.mark.parametrize(
    "point", ["writing", "after validation", "second epoch", "last validation"]
)
def test_killed_and_resumed_is_as_if_never_killed(
    tiny, finished, best, tmp_path, point
):
    killed = get_context("fork").Process(
        target=train_until_killed, args=(tiny, tmp_path, point)
    )
    killed.start()
    killed.join(300)
    assert killed.exitcode == -signal.SIGKILL
    task, trainer = tiny.fit(tmp_path, resume=True)
    assert trainer.global_step == 10
    tiny.assert_equal(task, finished)
    load_best(trainer, task)
    tiny.assert_equal(task, best)
    assert not list(tmp_path.glob(".*"))


def test_workers_do_not_matter(tiny, finished, tmp_path):
    task, _ = tiny.fit(tmp_path, data={"num_workers": 1})
    tiny.assert_equal(task, finished)


class Rates(Callback):
    """The learning rate of each step."""

    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, *_):
        self.seen.append(trainer.optimizers[0].param_groups[0]["lr"])


def resumed(tiny, folder, **task):
    """The learning rates of the second of two epochs."""
    rates = Rates()
    tiny.fit(folder, task=task, callbacks=[rates], resume=True)
    return rates.seen


@pytest.mark.parametrize("recipe", ["one_cycle", "light", "full"])
def test_learning_rate_given_on_resume(tiny, tmp_path, recipe):
    """It is obeyed, and without one training goes on as it was."""
    tiny.fit(
        tmp_path, task={"recipe": recipe, "learning_rate": 0.02}, max_epochs=1
    )
    kept = (tmp_path / "last.ckpt").read_bytes()
    before = resumed(tiny, tmp_path, recipe=recipe)
    (tmp_path / "last.ckpt").write_bytes(kept)
    after = resumed(tiny, tmp_path, recipe=recipe, learning_rate=0.0002)
    assert len(before) == len(after) == 5
    assert max(before) > 0.001
    assert after == pytest.approx([rate / 100 for rate in before])


def in_groups(tiny, folder, learning_rate, **arguments):
    """The learning rates of a task whose backbone has a tenth of the rate."""
    seen = []

    class Groups(Callback):
        def on_train_batch_start(self, trainer, *_):
            groups = trainer.optimizers[0].param_groups
            seen.append([group["lr"] for group in groups])

    task, data, trainer = tiny.make_run(
        folder,
        task={"learning_rate": learning_rate},
        callbacks=[Groups()],
        **arguments,
    )

    def configure_optimizers():
        rate = task.learning_rate
        parts = [task.model.branches, task.model.recognition_head]
        optimiser = torch.optim.SGD(
            [
                {"params": part.parameters(), "lr": share * rate}
                for part, share in zip(parts, (0.1, 1.0), strict=True)
            ]
        )
        by_step = torch.optim.lr_scheduler.StepLR(optimiser, 1, gamma=0.9)
        return [optimiser], [by_step]

    task.configure_optimizers = configure_optimizers
    last = folder / "last.ckpt"
    trainer.fit(task, data, ckpt_path=last if last.exists() else None)
    return seen


def test_groups_keep_their_own_learning_rates(tiny, tmp_path):
    """Also if another one is given on resume."""
    first = in_groups(tiny, tmp_path, 0.02, max_epochs=1)
    assert first[0] == pytest.approx([0.002, 0.02])
    again = in_groups(tiny, tmp_path, 0.0002, max_epochs=3)
    assert again[0] == pytest.approx([0.000018, 0.00018])
    assert again[-1] == pytest.approx([0.0000162, 0.000162])


def test_another_recipe_is_refused(tiny, tmp_path):
    tiny.fit(tmp_path, max_epochs=1)
    with pytest.raises(ValueError, match="recipe='one_cycle', got 'light'"):
        resumed(tiny, tmp_path, recipe="light")
    # Its weights can still be read.
    again, data, trainer = tiny.make_run(tmp_path, task={"recipe": "light"})
    assert trainer.validate(
        again, data, ckpt_path=tmp_path / "last.ckpt", verbose=False
    )


def test_another_normalisation_is_refused(tiny, tmp_path):
    task, _ = tiny.fit(tmp_path, max_epochs=1)
    again, data, trainer = tiny.make_run(tmp_path)
    again.standardize = Standardize(task.standardize.mean, torch.ones(3, 3))
    with pytest.raises(ValueError, match="another mean or deviation"):
        trainer.fit(again, data, ckpt_path=tmp_path / "last.ckpt")
    plain, data, trainer = tiny.make_run(tmp_path, transform=False)
    with pytest.raises(ValueError, match="another mean or deviation"):
        trainer.fit(plain, data, ckpt_path=tmp_path / "last.ckpt")


def test_weighting_given_on_resume(tiny, tmp_path):
    tiny.fit(tmp_path, task={"weighting": 0.25}, max_epochs=1)
    _, trainer = tiny.fit(tmp_path, task={"weighting": 0.75}, resume=True)
    assert float(trainer.callback_metrics["alpha"]) == 0.75


def test_patience_given_on_resume(tiny, tmp_path):
    tiny.fit(tmp_path, patience=7, max_epochs=1)
    _, trainer = tiny.fit(tmp_path, patience=3, resume=True)
    assert trainer.early_stopping_callback.patience == 3


def test_batch_size_in_the_middle_of_an_epoch(tiny, tmp_path):
    tiny.fit(tmp_path, max_steps=2)
    again, data, trainer = tiny.make_run(tmp_path, data={"batch_size": 2})
    with pytest.raises(ValueError, match="'batch_size' 4, got 2; pass 4"):
        trainer.fit(again, data, ckpt_path=tmp_path / "last.ckpt")


def test_load_from_checkpoint(tiny, whole, tmp_path):
    finished, trainer = whole
    path = Path(trainer.checkpoint_callback.dirpath, "last.ckpt")
    fresh, data, _ = tiny.make_run(tmp_path)
    found = SymGNNTask.load_from_checkpoint(
        path, model=fresh.model, dataset=data.train_dataset
    )
    tiny.assert_equal(found, finished)
    with pytest.raises(TypeError, match="pass dataset and model"):
        SymGNNTask.load_from_checkpoint(path)
    with pytest.raises(TypeError, match="pass dataset to"):
        SymGNNTask.load_from_checkpoint(path, model=fresh.model)


def test_without_checkpoints(tiny, tmp_path):
    task, trainer = tiny.fit(tmp_path, enable_checkpointing=False, max_epochs=1)
    assert not list(tmp_path.glob("*.ckpt"))
    assert load_best(trainer, task) == {}

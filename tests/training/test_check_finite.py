import math
import os

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.plugins import MixedPrecision

from symgnn_pyg.training import SafetensorsCheckpoint

SAMPLE = 7


def spoil(data, key, value, index=SAMPLE):
    """Puts a number into a sample of the training split."""
    batch_of = data.train_dataset.batch

    def batch(indices):
        batch = batch_of(indices)
        if index in indices:
            row = 3 * list(indices).index(index) + 1
            batch[key][row] = value
        return batch

    data.train_dataset.batch = batch


def order(data):
    """The samples of the first epoch, in the order of training."""
    return list(data.train_dataloader().sampler)


@pytest.mark.parametrize(
    ("key", "value"), [("x", math.nan), ("x", -math.inf), ("future", math.nan)]
)
def test_stops_and_names_step_and_sample(tiny, tmp_path, key, value):
    task, data, trainer = tiny.make_run(tmp_path)
    spoil(data, key, value)
    step = order(data).index(SAMPLE) // 4
    with pytest.raises(
        FloatingPointError,
        match=rf"^Step {step}: the loss is not finite .* in sample 7 "
        rf"\('1' from frame 2\); fill missing joints",
    ):
        trainer.fit(task, data)
    last = tmp_path / "last.ckpt"
    if step:
        assert (
            SafetensorsCheckpoint().load_checkpoint(last)["global_step"] == step
        )


def test_names_the_sample_in_a_run_that_goes_on(tiny, tmp_path):
    """In its second epoch, which was interrupted after its first batch."""
    tiny.fit(tmp_path, max_steps=6)
    task, data, trainer = tiny.make_run(tmp_path)
    data.train_dataloader().sampler.set_epoch(1)
    sampler = data.train_dataloader().sampler
    sampler.set_epoch(1)
    index = list(sampler)[13]
    spoil(data, "x", math.nan, index)
    with pytest.raises(
        FloatingPointError, match=rf"^Step 8: .*sample {index} "
    ):
        trainer.fit(task, data, ckpt_path=tmp_path / "last.ckpt")


def test_numbers_that_are_too_large(tiny, tmp_path):
    task, data, trainer = tiny.make_run(tmp_path)
    spoil(data, "future", 3e38)
    with pytest.raises(
        FloatingPointError,
        match=r"finite, with values up to 3e\+38; .* sample 7 \('1'",
    ):
        trainer.fit(task, data)


def test_other_data_modules(tiny, tmp_path):
    task, data, trainer = tiny.make_run(tmp_path)
    spoil(data, "x", math.nan)
    place = order(data).index(SAMPLE) % 4
    with pytest.raises(FloatingPointError, match=f"in sample {place} of the b"):
        trainer.fit(task, data.train_dataloader(), data.val_dataloader())


@pytest.mark.parametrize("weighting", [0.9, "mgda"])
@pytest.mark.parametrize(("key", "value"), [("x", math.nan), ("future", 3e38)])
def test_skipping_is_as_if_the_step_were_not(
    tiny, tmp_path, weighting, key, value
):
    found = []
    for name, steps in (("whole", 4), ("spoiled", 5)):
        task, data, trainer = tiny.make_run(
            tmp_path / name,
            max_steps=steps,
            task={
                "recipe": "light",
                "weighting": weighting,
                "skip_nonfinite": True,
            },
        )
        if name == "spoiled":
            spoil(data, key, value, order(data)[-1])
            with pytest.warns(
                UserWarning, match=r"Step 4: .* was skipped"
            ) as warned:
                trainer.fit(task, data)
            assert __file__ in {each.filename for each in warned}
        else:
            trainer.fit(task, data)
        assert trainer.global_step == steps
        assert task.skipped == steps - 4
        found.append(task)
    tiny.assert_equal(*found)


def test_skipped_batches_are_counted_through_a_kill(tiny, tmp_path):
    """Once in each epoch."""
    arguments = {"task": {"skip_nonfinite": True}}
    task, data, trainer = tiny.make_run(tmp_path, max_epochs=1, **arguments)
    spoil(data, "future", math.nan)
    trainer.fit(task, data)
    assert task.skipped == 1
    task, data, trainer = tiny.make_run(tmp_path, **arguments)
    spoil(data, "future", math.nan)
    trainer.fit(task, data, ckpt_path=tmp_path / "last.ckpt")
    assert task.skipped == 2
    assert float(trainer.callback_metrics["skipped"]) == 2


def test_skipping_in_half_precision(tiny, tmp_path):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    task, data, trainer = tiny.make_run(
        tmp_path,
        plugins=[MixedPrecision("16-mixed", "cpu", scaler)],
        task={"skip_nonfinite": True},
    )
    spoil(data, "x", math.nan)
    trainer.fit(task, data)
    assert task.skipped == 2
    assert all(p.isfinite().all() for p in task.state_dict().values())


class Break(Callback):
    """Spoils a weight after the third step."""

    def on_train_batch_end(self, trainer, task, *_):
        if trainer.global_step == 3:
            weight = task.model.recognition_head.classify.weight
            weight.data[0, 0] = math.inf


@pytest.mark.parametrize("seconds", [0.0, 60.0])
@pytest.mark.parametrize("skip", [False, True])
def test_weights_that_are_not_finite(tiny, tmp_path, seconds, skip):
    """They are neither kept nor skipped over."""
    task, data, trainer = tiny.make_run(
        tmp_path,
        callbacks=[Break()],
        checkpoint_seconds=seconds,
        task={"skip_nonfinite": skip},
    )
    with pytest.raises(
        FloatingPointError,
        match=r"^Step 3: .*head\.classify.* no longer finite",
    ):
        trainer.fit(task, data)
    last = tmp_path / "last.ckpt"
    assert last.exists() == (seconds == 0.0)
    if last.exists():
        assert SafetensorsCheckpoint().load_checkpoint(last)["global_step"] == 2


def test_disk_that_is_full(tiny, tmp_path, monkeypatch):
    """In the middle of a checkpoint: the one before it stays whole."""
    task, data, trainer = tiny.make_run(tmp_path)
    fsync, written = os.fsync, []

    def full(handle):
        written.append(os.fstat(handle).st_size)
        if len(written) == 3:
            raise OSError(28, os.strerror(28))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        OSError, match=r"last\.ckpt could not be written: .*No space left .*"
        r"contents are intact: free some space"
    ):  # fmt: skip
        trainer.fit(task, data)
    assert written[2] > 1000
    kept = SafetensorsCheckpoint().load_checkpoint(tmp_path / "last.ckpt")
    assert kept["global_step"] == 2
    assert not list(tmp_path.glob(".*"))


def test_a_learning_rate_that_is_too_high(tiny, tmp_path):
    task, data, trainer = tiny.make_run(
        tmp_path,
        task={"recipe": "light", "learning_rate": 1e30},
        val_check_interval=1,
        max_steps=1,
    )
    with pytest.raises(
        FloatingPointError,
        match=r"^Step 1: .* a learning rate of up to 1e\+30: the class scores "
        r"and predicted poses of the network are not finite",
    ):
        trainer.fit(task, data)

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import LearningRateFinder
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)
from torch_geometric.transforms import Compose

from symgnn_pyg.data import batch_of_bodies
from symgnn_pyg.nn import PoseLoss, SymGNN, SymGNNOutput
from symgnn_pyg.training import SymGNNTask, load_best
from symgnn_pyg.transforms import Standardize, ToBones


class Fixed(torch.nn.Module):
    """Predicts the last pose plus one, and always the first class."""

    def forward(self, x, num_bodies=None):
        future = x[:, -1:].repeat(1, 3, 1) + 1.0
        count = x.size(0) // 3 if num_bodies is None else num_bodies.numel()
        logits = torch.tensor([[1.0, 0.0]]).repeat(count, 1)
        return SymGNNOutput(logits, future, None, x)


def validated(task, data):
    logged = {}
    task.log_dict = lambda values, **_: logged.update(values)
    for i, batch in enumerate(data.val_dataloader()):
        task.validation_step(batch, i)
    task.on_validation_epoch_end()
    return logged


def test_errors_are_those_of_the_data(tiny, tmp_path):
    """In their unit, wherever in the transform it is that normalises them."""
    _, data, _ = tiny.make_run(tmp_path)
    dataset = data.val_dataset = data.train_dataset[[0, 1, 2, 5]]
    standardize = dataset.transform.transforms[0]
    found = []
    for transform in (standardize, Compose([standardize])):
        dataset.transform = data.train_dataset.transform = transform
        task = SymGNNTask(Fixed(), dataset, metric="position")
        found.append(validated(task, data))
    assert found[0] == found[1]
    still, wrong = ({}, {})
    for sample in dataset:
        last, future = map(standardize.inverse, (sample.x, sample.future))
        gap = future - last[:, -1:]
        label = int(sample.y)
        still.setdefault(label, []).append(gap.norm(dim=-1).mean())
        gap = gap - standardize.std[:, None]
        wrong.setdefault(label, []).append(gap.norm(dim=-1).mean())
    # Classes count alike, be they rare or not.
    assert {label: len(errors) for label, errors in still.items()} == {
        0: 3,
        1: 1,
    }
    still, wrong = (
        torch.stack(
            [torch.stack(errors).mean() for errors in part.values()]
        ).mean()
        for part in (still, wrong)
    )
    assert float(found[0]["val_still"]) == pytest.approx(float(still), rel=1e-5)
    assert float(found[0]["val_error"]) == pytest.approx(float(wrong), rel=1e-5)
    right = sum(int(s.y) == 0 for s in dataset) / len(dataset)
    assert float(found[0]["val_top1"]) == pytest.approx(right)
    assert float(found[0]["val_score"]) == pytest.approx(
        float(wrong / still) - right, rel=1e-4
    )
    assert "val_top5" not in found[0]


def test_each_body_counts_in_the_class_of_its_sample(tiny, tmp_path):
    _, data, _ = tiny.make_run(tmp_path)
    dataset = data.train_dataset
    task = SymGNNTask(Fixed(), dataset, metric="position")
    x, future = torch.randn(9, 4, 3), torch.randn(9, dataset.num_future, 3)
    batch = batch_of_bodies(
        x,
        future,
        torch.tensor([1, 0]),
        skeleton=dataset.skeleton,
        num_bodies=torch.tensor([2, 1]),
    )
    task.validation_step(batch, 0)
    for metric in (task.metrics["error"], task.metrics["still"]):
        assert metric.count.tolist() == [1, 2]
    gap = task._in_unit(future) - task._in_unit(x[:, -1:])
    each = gap.norm(dim=-1).unflatten(0, (3, 3)).mean(dim=1)
    torch.testing.assert_close(
        task.metrics["still"].compute(),
        torch.stack([each[2], each[:2].mean(dim=0)]).mean(dim=0).double(),
    )
    assert float(task.metrics["top1"].compute()) == 0.5


@pytest.mark.parametrize(
    "arguments",
    [{"recipe": "magic"}, {"metric": "taste"}, {"prediction_criterion": "l3"}],
)
def test_unknown_choices(tiny, tmp_path, arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=rf"'{name}' .* got '{value}'"):
        tiny.make_run(tmp_path, task=arguments)


def test_bones_of_normalised_joints_have_no_other_unit(tiny, tmp_path):
    _, data, _ = tiny.make_run(tmp_path)
    dataset = data.train_dataset
    standardize = dataset.transform.transforms[0]
    of_bones = Standardize(torch.zeros(2, 3), torch.ones(2, 3))
    for transforms, found in (
        ([standardize, ToBones()], None),
        ([standardize, Compose([ToBones()])], None),
        ([Compose([ToBones(), of_bones])], of_bones),
        ([ToBones(), of_bones], of_bones),
    ):
        dataset.transform = Compose(transforms)
        task = SymGNNTask(Fixed(), dataset, metric="position")
        assert task.standardize is found
        assert task.num_joints == 2


def test_l1_norm_is_logged_per_joint_and_frame(tiny, tmp_path):
    """And minimised as in equation (12)."""
    task, data, trainer = tiny.make_run(tmp_path, max_steps=1)
    seen = []
    losses = task._losses

    def record(x, num_bodies, y, future):
        seen.append((losses(x, num_bodies, y, future), future))
        return seen[-1][0]

    task._losses = record
    trainer.fit(task, data)
    ((loss, future),) = seen
    joints, frames, _ = future.shape
    samples = joints // 3
    torch.testing.assert_close(
        float(trainer.callback_metrics["prediction"]),
        float(loss.prediction_loss * samples / (joints * frames)),
    )
    torch.testing.assert_close(
        loss.total,
        torch.lerp(loss.prediction_loss, loss.recognition_loss, loss.alpha),
    )


@pytest.mark.parametrize("transform", [True, False])
def test_pose_loss_is_in_the_unit_of_the_data(tiny, tmp_path, transform):
    task, data, _ = tiny.make_run(
        tmp_path, transform=transform, task={"prediction_criterion": "pose"}
    )
    batch = next(iter(data.val_dataloader()))
    # Dropout is the same.
    torch.manual_seed(0)
    out = task(batch)
    torch.manual_seed(0)
    loss = task._losses(batch.x, None, batch.y, batch.future)
    gap = batch.future - out.future
    if transform:
        std = task.standardize.std
        gap = (gap.unflatten(0, (-1, 3)) * std[:, None]).flatten(0, 1)
    torch.testing.assert_close(
        loss.prediction_loss,
        PoseLoss(torch.ones(3, 1))(gap, torch.zeros_like(gap)),
    )


def test_files_of_a_run(tiny, tmp_path):
    tiny.fit(tmp_path, ema=0.9, patience=3)
    assert {"best.ckpt", "last.ckpt", "logs"} <= {
        path.name for path in tmp_path.iterdir()
    }
    rows = (
        (tmp_path / "logs/csv/version_0/metrics.csv").read_text().splitlines()
    )
    assert "val_score" in rows[0]
    events = EventAccumulator(str(tmp_path / "logs/tensorboard/version_0"))
    events.Reload()
    assert {"learning_rate", "recognition", "val_score"} <= {
        *events.Tags()["scalars"]
    }
    assert events.PluginTagToContent("hparams")
    settings = (tmp_path / "logs/csv/version_0/hparams.yaml").read_text()
    assert "weighting: mgda" in settings
    assert "num_observed: " in settings
    assert "!!python" not in settings


def test_loaded_networks_are_trained_in_training_mode(tiny, tmp_path):
    """With statistics of the batches; frozen ones stay."""
    task, data, trainer = tiny.make_run(tmp_path)
    task.model.eval()
    task.model.branches[0].requires_grad_(False)
    before = {name: b.clone() for name, b in task.model.named_buffers()}
    trainer.fit(task, data)
    changed = {
        name
        for name, b in task.model.named_buffers()
        if not torch.equal(b, before[name])
    }
    assert any(name.startswith("branches.1.") for name in changed)
    assert not any(name.startswith("branches.0.") for name in changed)


def test_released_norms_train_again(tiny, tmp_path):
    """Those that are in evaluation mode for another reason stay there."""

    class Release(Callback):
        def on_train_epoch_start(self, trainer, task):
            first, second = task.model.branches[:2]
            if trainer.current_epoch == 0:
                second.eval()
            first.requires_grad_(trainer.current_epoch > 0)
            seen.append((norms(first), norms(second)))

        def on_train_batch_start(self, trainer, task, *_):
            first, second = task.model.branches[:2]
            seen.append((norms(first), norms(second)))

    def norms(branch):
        return {
            module.training
            for module in branch.modules()
            if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)
        }

    seen = []
    tiny.fit(tmp_path, max_epochs=2, callbacks=[Release()])
    assert seen[1] == ({False}, {False})
    assert seen[-1] == ({True}, {False})


@pytest.mark.parametrize("found", [True, False])
def test_finder_of_learning_rates(tiny, tmp_path, found):
    """It tries the rates that it should, and training uses what it finds."""
    finder = LearningRateFinder(
        1e-6,
        1e-3,
        num_training_steps=20,
        early_stop_threshold=None,
        update_attr=found,
    )
    task, data, trainer = tiny.make_run(
        tmp_path,
        max_epochs=5,
        task={"learning_rate": 0.02},
        callbacks=[finder],
    )
    rates = []

    def record(optimizer):
        rates.append(optimizer.param_groups[0]["lr"])

    task.on_before_optimizer_step = record
    trainer.fit(task, data)
    tried, used = rates[:20], rates[20:]
    assert tried[0] == pytest.approx(1e-6)
    assert max(tried) <= 1e-3
    expected = finder.optimal_lr.suggestion() if found else 0.02
    assert task.learning_rate == expected
    assert used[0] == pytest.approx(0.1 * expected)
    assert max(used) == pytest.approx(expected, rel=0.01)
    settings = (tmp_path / "logs/csv/version_0/hparams.yaml").read_text()
    assert f"learning_rate: {expected}" in settings


def test_averaged_weights(tiny, tmp_path):
    """Are those of the formula, and can be read and gone on from."""
    kept = []

    class Keep(Callback):
        def on_train_batch_end(self, trainer, task, *_):
            kept.append([p.detach().clone() for p in task.parameters()])

    task, trainer = tiny.fit(tmp_path, ema=0.8, callbacks=[Keep()])
    average = kept[0]
    for new in kept[1:]:
        pairs = zip(average, new, strict=True)
        average = [0.8 * a + 0.2 * b for a, b in pairs]
    torch.testing.assert_close(list(task.parameters()), average)
    assert load_best(trainer, task)
    again, trainer = tiny.fit(tmp_path, ema=0.8, max_epochs=3, resume=True)
    assert trainer.global_step == 15
    again.model.save_pretrained(tmp_path / "model")
    SymGNN.from_pretrained(tmp_path / "model")


def test_each_batch_of_a_step_draws_anew(tiny, tmp_path):
    drawn = []

    class Draw(Callback):
        def on_train_batch_start(self, trainer, task, batch, batch_idx):
            task.on_train_batch_start(batch, batch_idx)
            drawn.append((trainer.global_step, float(torch.rand(()))))

    tiny.fit(tmp_path, accumulate_grad_batches=2, callbacks=[Draw()])
    assert len({step for step, _ in drawn}) < len(drawn)
    assert len({number for _, number in drawn}) == len(drawn)


def test_test_finds_what_validation_finds(tiny, tmp_path):
    task, data, trainer = tiny.make_run(tmp_path)
    loader = data.val_dataloader()
    (validated,) = trainer.validate(task, loader, verbose=False)
    (tested,) = trainer.test(task, loader, verbose=False)
    assert {n.replace("val_", "test_"): v for n, v in validated.items()} == (
        tested
    )
    assert {"test_error", "test_top1", "test_score"} <= tested.keys()

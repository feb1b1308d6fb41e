import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import ConcatDataset, Subset, random_split
from torch_geometric.transforms import Compose

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import SkeletonArrays
from symgnn_pyg.metrics import MPJPE, MeanAngleError
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.training import MotionDataModule, SymGNNTask, evaluate
from symgnn_pyg.training.samples import labels_of
from symgnn_pyg.transforms import Difference, Observe, Resample, ToBones
from tests.training.tiny_run import ARM, SIZES


def recordings(count=8, channels=3):
    random = np.random.default_rng(0)
    return [random.normal(size=(30, 3, channels)) for _ in range(count)]


def arrays(labels=("x", "y") * 4, *, channels=3, **arguments):
    return SkeletonArrays(
        recordings(channels=channels),
        labels,
        ARM,
        **{"num_observed": 12, "num_future": 6, **arguments},
    )


def network(dataset, **arguments):
    given = {
        "num_classes": dataset.num_classes,
        "num_observed": dataset.num_observed,
        "num_future": dataset.num_future,
    }
    return SymGNN(ARM, **{**SIZES, **given, **arguments})


def trainer(**arguments):
    return Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        **{"max_epochs": 1, "limit_train_batches": 2, **arguments},
    )


def trained(model, dataset, **arguments):
    """What was logged, and whether all weights are finite."""
    run = trainer(limit_val_batches=1)
    balanced = labels_of(dataset).dim() == 1
    data = MotionDataModule(dataset, dataset, batch_size=8, balanced=balanced)
    run.fit(SymGNNTask(model, dataset, **arguments), data)
    assert all(weight.isfinite().all() for weight in model.parameters())
    return {name: float(v) for name, v in run.callback_metrics.items()}


# What the data hold ##########################################################


@pytest.mark.parametrize(
    ("arguments", "transform", "kind"),
    [
        ({}, None, MPJPE),
        ({"kind": "rotation"}, None, MeanAngleError),
        ({"kind": "rotation"}, Difference(0), MeanAngleError),
        ({"kind": "rotation"}, Compose([Compose([Difference()])]), MPJPE),
        ({"kind": "rotation"}, ToBones(), MPJPE),
    ],
)
def test_metric_follows_from_the_data(arguments, transform, kind):
    dataset = arrays(transform=transform, **arguments)
    task = SymGNNTask(torch.nn.Identity(), dataset)
    assert type(task.metrics["error"]) is kind
    wrong = {MPJPE: "angle", MeanAngleError: "position"}[kind]
    with pytest.raises(ValueError, match=f"'metric' must be .* got '{wrong}'"):
        SymGNNTask(torch.nn.Identity(), dataset, metric=wrong)


def test_unit_of_the_data():
    assert SymGNNTask(torch.nn.Identity(), arrays(unit="mm")).unit == "mm"
    assert arrays(kind="rotation").unit == "radians"
    assert arrays().unit is None


def test_confidence_is_no_coordinate():
    dataset = arrays(num_coordinates=2)
    metric = SymGNNTask(torch.nn.Identity(), dataset).metrics["error"]
    true = torch.randn(3, 6, 3)
    off = true.clone()
    off[..., 2] += 1.0
    metric.update(off, true, torch.zeros(1))
    assert metric.compute().tolist() == 6 * [0.0]
    off[..., 1] += 1.0
    metric.update(off, true, torch.zeros(1))
    torch.testing.assert_close(metric.compute(), torch.full((6,), 0.5).double())


@pytest.mark.parametrize(
    ("arguments", "channels", "message"),
    [({"kind": "angle"}, 3, "'kind' must be one of"),
     ({"kind": "rotation"}, 2, "3 channels of exponential maps"),
     ({"num_coordinates": 4}, 3, "'num_coordinates' must be from 1 to 3"),
     ({"num_coordinates": 0}, 3, "'num_coordinates' must be from 1 to 3")],
)  # fmt: skip
def test_what_data_cannot_hold(arguments, channels, message):
    with pytest.raises(ValueError, match=message):
        arrays(channels=channels, **arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"num_classes": 1}, "1 classes, but the data have 2; .*num_classes=2"),
     ({"num_observed": 10}, "num_observed=10, but the samples have 12"),
     ({"num_future": 5}, "num_future=5, but the samples have 6"),
     ({"in_channels": 2}, "in_channels=2, but the samples have 3")],
)  # fmt: skip
def test_network_that_does_not_fit(change, message):
    dataset = arrays()
    with pytest.raises(ValueError, match=message):
        SymGNNTask(network(dataset, **change), dataset)


def test_network_of_another_skeleton():
    skeleton = Skeleton(["a", "b", "c"], [(1, 0), (2, 0)])
    other = SymGNN(
        skeleton, 2, **{**SIZES, "num_observed": 12, "num_future": 6}
    )
    with pytest.raises(ValueError, match="skeleton of the data"):
        SymGNNTask(other, arrays())


# Transforms that change the number of frames #################################


@pytest.mark.parametrize(
    "transform",
    [Resample(30, 25), Compose([Compose([Resample(30, 12)])]), Observe(0.5),
     Compose([Resample(25, 50), Observe(0.3)])],
    ids=repr,
)  # fmt: skip
def test_numbers_of_frames_are_those_of_samples(transform):
    dataset = arrays(transform=transform)
    before = torch.random.get_rng_state()
    for index in (0, len(dataset) - 1):
        sample = dataset[index]
        assert dataset.num_observed == sample.x.size(1)
        future = sample.get("future")
        assert dataset.num_future == (0 if future is None else future.size(1))
    assert torch.equal(torch.random.get_rng_state(), before)
    model = network(dataset)
    logged = trained(model, dataset, weighting=0.5)
    assert ("val_error" in logged) == (dataset.num_future > 0)
    dataset.transform = None
    assert (dataset.num_observed, dataset.num_future) == (12, 6)


# Labels ######################################################################


@pytest.mark.parametrize("num_classes", [0, 3])
def test_prediction_without_labels(num_classes):
    dataset = arrays(None)
    assert dataset.num_classes == 0
    assert dataset.labels.unique().tolist() == [-100]
    logged = trained(network(dataset, num_classes=num_classes), dataset)
    assert {"prediction", "val_error", "val_still"} <= logged.keys()
    assert not {"recognition", "val_top1", "val_top5"} & logged.keys()
    found = evaluate(network(dataset, num_classes=num_classes), dataset)
    assert found.keys() == {"error", "still"}


def test_prediction_with_one_class():
    dataset = arrays(8 * ["x"])
    model = network(dataset)
    before = {n: w.clone() for n, w in model.named_parameters()}
    logged = trained(model, dataset)
    assert "val_top1" not in logged
    assert logged["alpha"] == 0.0
    moved = {n for n, w in model.named_parameters()
             if not torch.equal(w, before[n])}  # fmt: skip
    assert any(name.startswith("prediction_head") for name in moved)
    assert any(name.startswith("branches") for name in moved)


@pytest.mark.parametrize(
    "criterion",
    [None, torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0])),
     torch.nn.CrossEntropyLoss(label_smoothing=0.1)],
)  # fmt: skip
def test_partly_labelled(criterion):
    dataset = arrays(["x", "y", None, None] * 2)
    assert dataset.classes == ["x", "y"]
    model = network(dataset)
    logged = trained(
        model, dataset, weighting=0.5, recognition_criterion=criterion
    )
    assert {"recognition", "prediction", "val_top1"} <= logged.keys()
    labelled = dataset[dataset.labels >= 0]
    found, known = evaluate(model, dataset), evaluate(model, labelled)
    # Accuracy is that of the samples with labels.
    assert float(found["top1"].compute()) == float(known["top1"].compute())
    groups = found["error"].compute_groups()
    assert groups.shape == (3, 6)
    torch.testing.assert_close(groups[:2], known["error"].compute_groups())


def test_probabilities():
    """The last class is that of samples with several."""

    def several(data):
        data.y = torch.eye(2)[data.y]
        return data

    dataset = arrays(transform=several)
    logged = trained(network(dataset), dataset, weighting=0.5)
    plain = arrays()
    model = network(plain)
    found, expected = evaluate(model, dataset), evaluate(model, plain)
    for name in ("top1", "error"):
        assert torch.equal(found[name].compute(), expected[name].compute())
    assert "val_top1" in logged


@pytest.mark.parametrize("some", [True, False])
def test_samples_of_several_classes(some):
    """Trained and counted like any, but in no class and no accuracy."""
    rows = [[1.0, 1.0]] * 8
    if some:
        rows[:2] = [[1.0, 0.0], [0.0, 1.0]]
    dataset = arrays(rows)
    assert dataset.num_classes == 2
    logged = trained(
        network(dataset),
        dataset,
        weighting=0.5,
        recognition_criterion=torch.nn.BCEWithLogitsLoss(),
    )
    assert {"recognition", "prediction", "val_error"} <= logged.keys()
    assert all(np.isfinite(float(value)) for value in logged.values())
    assert ("val_top1" in logged) == some
    with pytest.raises(ValueError, match="pass balanced=False"):
        MotionDataModule(dataset, balanced=True).train_dataloader()


@pytest.mark.parametrize("key", ["x", "future"])
@pytest.mark.parametrize("door", ["fit", "validate", "predict", "evaluate"])
def test_missing_joints_are_refused(door, key):
    def lose(data):
        data[key][0, 0] = np.nan
        return data

    dataset = arrays()
    model = network(dataset)
    dataset.transform = lose
    task = SymGNNTask(model, dataset)
    data = MotionDataModule(
        dataset, dataset, pred_dataset=dataset, batch_size=8
    )
    run = trainer(num_sanity_val_steps=0)
    doors = {
        "fit": lambda: run.fit(task, data),
        "validate": lambda: run.validate(task, data),
        "predict": lambda: run.predict(task, data),
        "evaluate": lambda: evaluate(model, dataset),
    }
    with pytest.raises(FloatingPointError, match=r"NaN .*fill_gaps=True"):
        doors[door]()


def test_a_network_that_is_not_finite():
    dataset = arrays()
    model = network(dataset)
    with torch.no_grad():
        model.recognition_head.classify.bias.fill_(np.nan)
    with pytest.raises(
        FloatingPointError,
        match=r"^Batch 0: the class scores .* not finite.*; check its weights",
    ):
        evaluate(model, dataset)
    assert model.training


def test_the_network_keeps_its_modes():
    dataset = arrays()
    model = network(dataset)
    model.branches.eval()
    modes = [module.training for module in model.modules()]
    evaluate(model, dataset)
    assert [module.training for module in model.modules()] == modes
    assert len(set(modes)) == 2


def test_metric_is_checked_without_prediction():
    dataset = arrays(transform=Observe(0.5))
    assert dataset.num_future == 0
    with pytest.raises(ValueError, match=r"be 'position' .* got 'angle'"):
        evaluate(network(dataset), dataset, metric="angle")


# Loaders and views ###########################################################


def test_predict():
    dataset = arrays()
    model = network(dataset)
    loader = SkeletonLoader(dataset, batch_size=8)
    found = trainer().predict(SymGNNTask(model, dataset), loader)
    assert sum(len(out.logits) for out in found) == len(dataset)
    model.eval()
    first = next(iter(loader))
    torch.testing.assert_close(found[0].logits, model(first.x).logits)


def test_predictions_are_in_the_unit_of_the_data():
    dataset = arrays(unit="mm")
    dataset.transform = standardize = dataset.standardize()
    model = network(dataset)
    data = MotionDataModule(dataset, pred_dataset=dataset, batch_size=8)
    found = trainer().predict(SymGNNTask(model, dataset), data)
    batch = next(iter(data.predict_dataloader()))
    expected = standardize.inverse(model.eval()(batch.x).future)
    torch.testing.assert_close(found[0].future, expected)


def test_overfit_batches_are_the_same_each_epoch():
    dataset = arrays()
    seen = []

    class Task(SymGNNTask):
        def training_step(self, batch, batch_idx):
            seen.append(batch.x)
            return super().training_step(batch, batch_idx)

    task = Task(network(dataset), dataset)
    run = trainer(overfit_batches=1, max_epochs=2, limit_train_batches=1.0)
    run.fit(task, SkeletonLoader(dataset, batch_size=8, shuffle=True))
    assert len(seen) == 2
    assert torch.equal(*seen)
    assert torch.equal(seen[0], dataset.batch(range(8)).x)


def test_loader_shows_the_data_set():
    dataset = arrays()
    loader = SkeletonLoader(dataset, batch_size=8)
    assert loader.dataset.skeleton == ARM
    assert len(loader.dataset) == len(dataset)
    assert torch.equal(loader.dataset[3].x, dataset[3].x)


VIEWS = {
    "Subset": lambda d: Subset(d, range(3, 40)),
    "random_split": lambda d: random_split(d, [0.7, 0.3])[0],
    "ConcatDataset": lambda d: ConcatDataset([d, Subset(d, range(5))]),
    "nested": lambda d: Subset(ConcatDataset([d, d]), range(100)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_of_data_sets(view):
    dataset = arrays()
    part = view(dataset)
    model = network(dataset)
    logged = trained(model, part)
    assert {"val_error", "val_top1"} <= logged.keys()
    found = evaluate(model, part)
    count = found["error"].count.sum()
    assert int(count) == len(part)


def test_joined_data_sets_that_differ():
    one = arrays()
    scaled = arrays()
    scaled.transform = scaled.standardize()
    for other, message in (
        (scaled, "same standardization"),
        (arrays(num_future=5), "same number of future frames, got 6 and 5"),
        (arrays(["y", "z"] * 4), "same classes"),
        (arrays(kind="rotation"), "same kind of values"),
    ):
        with pytest.raises(ValueError, match=message):
            SymGNNTask(torch.nn.Identity(), ConcatDataset([one, other]))


def test_another_data_set():
    with pytest.raises(TypeError, match=r"MotionDataset.* got list"):
        evaluate(torch.nn.Identity(), [1])


def test_test_and_predict_need_their_split():
    data = MotionDataModule(arrays())
    for make, name in (
        (data.test_dataloader, "test_dataset"),
        (data.predict_dataloader, "pred_dataset"),
    ):
        with pytest.raises(ValueError, match=f"no '{name}'; pass one"):
            make()

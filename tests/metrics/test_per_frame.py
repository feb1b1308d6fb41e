"""What all metrics of future frames have in common."""

import copy

import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection

from symgnn_pyg.metrics import MPJPE, PCK, MeanAngleError

metrics = pytest.mark.parametrize("kind", [MPJPE, PCK, MeanAngleError])


def batch(num_samples, seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randn(num_samples * 6, 3, 3, generator=generator)
    noise = torch.randn(num_samples * 6, 3, 3, generator=generator)
    return target + 0.1 * noise, target


@metrics
def test_two_batches_are_one(kind):
    prediction, target = batch(5)
    group = torch.tensor([0, 1, 1, 0, 1])
    once, twice = kind(6, 3, 2), kind(6, 3, 2)
    once.update(prediction, target, group)
    twice.update(prediction[:12], target[:12], group[:2])
    twice.update(prediction[12:], target[12:], group[2:])
    torch.testing.assert_close(once.compute(), twice.compute())


@metrics
def test_reset(kind):
    metric, fresh = kind(6, 3), kind(6, 3)
    metric.update(*batch(2, seed=1))
    metric.reset()
    for each in (metric, fresh):
        each.update(*batch(2, seed=2))
    assert torch.equal(metric.compute(), fresh.compute())


@metrics
def test_forward_gives_the_value_of_the_batch(kind):
    metric, alone = kind(6, 3), kind(6, 3)
    metric.update(*batch(2, seed=1))
    alone.update(*batch(1, seed=2))
    assert torch.equal(metric(*batch(1, seed=2)), alone.compute())


@metrics
def test_cast_with_a_module(kind):
    """Batches are summed in float64, whatever the network is cast to."""
    expected = kind(6, 3)
    expected.update(*batch(5))
    module = torch.nn.ModuleDict({"metric": kind(6, 3)}).to(torch.bfloat16)
    module["metric"].update(*batch(5))
    assert torch.equal(module["metric"].compute(), expected.compute())


@metrics
def test_takes_no_gradient(kind):
    prediction, target = batch(1)
    metric = kind(6, 3)
    metric.update(prediction.requires_grad_(), target)
    assert not metric.compute().requires_grad


@metrics
@pytest.mark.parametrize(
    ("predicted", "true"),
    [
        ((12, 3, 3), (6, 3, 3)),
        ((7, 3, 3), (7, 3, 3)),
        ((6, 4, 3), (6, 4, 3)),
        ((6, 3), (6, 3)),
    ],
)
def test_wrong_shapes(kind, predicted, true):
    with pytest.raises(ValueError, match=r"\[N \* 6, 3, C\].*got \["):
        kind(6, 3).update(torch.zeros(predicted), torch.zeros(true))


@metrics
def test_wrong_number_of_groups(kind):
    """Nothing is half added."""
    metric = kind(6, 3, 2)
    with pytest.raises(ValueError, match=r"'group' of shape \[2\], got \[3\]"):
        metric.update(*batch(2), torch.zeros(3, dtype=torch.long))
    assert metric.count.sum() == 0


@metrics
@pytest.mark.parametrize("group", [-1, 2])
def test_unknown_group(kind, group):
    metric = kind(6, 3, 2)
    with pytest.raises(
        ValueError, match=rf"'group' must .* from 0 to 1 .*{group}\]"
    ):
        metric.update(*batch(2), torch.tensor([0, group]))
    assert metric.count.sum() == metric.total.abs().sum() == 0


@pytest.mark.parametrize("kind", [MPJPE, PCK])
def test_one_frame_keeps_its_dimension(kind):
    prediction, target = batch(2)
    metric = kind(6, 1)
    value = metric(prediction[:, :1], target[:, :1])
    assert value.shape == metric.compute().shape == (1,)


@metrics
def test_empty_batch_changes_nothing(kind):
    metric, alone = kind(6, 3), kind(6, 3)
    assert metric(*batch(0)).isnan().all()
    metric.update(*batch(2))
    metric.update(*batch(0))
    alone.update(*batch(2))
    assert torch.equal(metric.compute(), alone.compute())


@metrics
def test_nan_is_not_hidden(kind):
    prediction, target = batch(2)
    prediction[0, :, 0] = torch.nan
    metric = kind(6, 3, 2)
    metric.update(prediction, target, group=torch.tensor([0, 1]))
    broken, whole = metric.compute_groups()
    assert broken.isnan().all()
    assert whole.isfinite().all()


@metrics
def test_missing_joints_are_refused(kind):
    prediction, target = batch(2)
    target[0, :, 0] = torch.nan
    with pytest.raises(ValueError, match=r"'target' to be numbers.*fill_gaps"):
        kind(6, 3).update(prediction, target)


@metrics
@pytest.mark.parametrize("name", ["num_joints", "num_future", "num_groups"])
def test_numbers_below_one(kind, name):
    sizes = {"num_joints": 6, "num_future": 3, "num_groups": 2, name: 0}
    with pytest.raises(ValueError, match=f"'{name}' must be at least"):
        kind(**sizes)


def test_collection_of_other_settings():
    """Whose values agree in the first batch."""
    metrics = {
        "all": MPJPE(6, 3),
        "same": MPJPE(6, 3),
        "plane": MPJPE(6, 3, num_coordinates=2),
        "angle": MeanAngleError(6, 3),
        "strict": PCK(6, 3, threshold=0.01),
        "loose": PCK(6, 3, threshold=1.0),
    }
    together = MetricCollection(copy.deepcopy(metrics))
    _, target = batch(2)
    together.update(target, target)
    together.reset()
    found = together(*batch(2))
    for name, metric in metrics.items():
        assert torch.equal(found[name], metric(*batch(2))), name
    assert ["all", "same"] in together.compute_groups.values()


@metrics
def test_groups_of_any_kind(kind):
    metric, known = kind(6, 3, 2), kind(6, 3, 2)
    known.update(*batch(2), torch.tensor([1, 0]))
    for group in ([1, 0], np.array([1, 0], dtype=np.uint8)):
        metric.reset()
        metric.update(*batch(2), group)
        assert torch.equal(metric.compute_groups(), known.compute_groups())
    with pytest.raises(ValueError, match=r"'group' must hold integers"):
        metric.update(*batch(2), [0.5, 1.0])


@metrics
def test_arrays_are_refused_with_the_cure(kind):
    prediction, target = batch(2)
    with pytest.raises(TypeError, match=r"'target' .* ndarray; torch\.as_ten"):
        kind(6, 3).update(prediction, target.numpy())

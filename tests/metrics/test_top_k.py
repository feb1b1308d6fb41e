import copy
import pickle

import pytest
import torch

from symgnn_pyg.metrics import TopKAccuracy

SCORES = torch.tensor(
    [[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.1, 0.5, 0.9]]
)
LABELS = torch.tensor([0, 1, 2, 2])


@pytest.mark.parametrize(("top_k", "share"), [(1, 0.5), (2, 0.75), (3, 1.0)])
def test_by_hand(top_k, share):
    metric = TopKAccuracy(3, top_k)
    metric.update(SCORES, LABELS)
    assert metric.compute().item() == share


def test_samples_count_once_whatever_the_class():
    """Not the mean over classes, which would be a half."""
    metric = TopKAccuracy(2)
    metric.update(torch.tensor([[1.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1]))
    assert metric.compute().item() == 0.75


def test_accumulates_and_resets():
    metric = TopKAccuracy(3)
    metric.update(SCORES[:1], LABELS[:1])
    metric.update(SCORES[1:], LABELS[1:])
    assert metric.compute().item() == 0.5
    metric.reset()
    metric.update(SCORES[:1], LABELS[:1])
    assert metric.compute().item() == 1.0


@pytest.mark.parametrize("top_k", [1, 2])
def test_empty_batch_changes_nothing(top_k):
    metric = TopKAccuracy(3, top_k)
    metric(SCORES[:0], LABELS[:0])
    metric.update(SCORES, LABELS)
    share = metric.compute()
    metric.update(SCORES[:0], LABELS[:0])
    assert metric.compute() == share > 0


def test_empty_batch_of_other_classes():
    with pytest.raises((ValueError, RuntimeError)):
        TopKAccuracy(4).update(SCORES[:0], LABELS[:0])


def test_nan():
    with pytest.raises(ValueError, match="'preds' to be numbers, got NaN"):
        TopKAccuracy(3).update(SCORES * torch.nan, LABELS)


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_twins(twin):
    metric = TopKAccuracy(3, 2)
    metric.update(SCORES, LABELS)
    assert twin(metric).compute() == metric.compute()


def test_arrays_are_refused_with_the_cure():
    with pytest.raises(TypeError, match=r"'preds' .* ndarray; torch\.as_ten"):
        TopKAccuracy(3).update(SCORES.numpy(), LABELS)

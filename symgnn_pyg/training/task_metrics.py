"""What a task measures on the samples of a data set."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor
from torchmetrics import Metric

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.metrics import MPJPE, MeanAngleError, TopKAccuracy
from symgnn_pyg.transforms import Standardize, ToBones, steps_of
from symgnn_pyg.typing import UNLABELLED

ERRORS = ("angle", "position")


def make_metrics(
    dataset: MotionDataset, labels: Tensor, num_scores: int, error: str | None
) -> dict[str, Metric]:
    r"""The error of the network and of zero velocity (:obj:`"still"`), and
    accuracies where they mean something.

    Raises:
        ValueError: If the data require another prediction error.
    """
    metrics: dict[str, Metric] = {}
    num_classes = dataset.num_classes
    # Samples of several classes, which have no right one, are not counted.
    single = classes_of(labels) >= 0
    if dataset.num_future > 0:
        make = _error_of(error, dataset)
        # Other samples are a group of their own.
        num_groups = max(1, num_classes + int(not single.all()))
        shape = dataset.skeleton.num_joints, dataset.num_future, num_groups
        metrics = {name: make(*shape) for name in ("error", "still")}
    num_scores = max(num_classes, num_scores)
    for k in (1, 5):
        if num_classes > 1 and single.any() and k <= num_scores:
            metrics[f"top{k}"] = TopKAccuracy(
                num_scores, k, ignore_index=UNLABELLED
            )
    return metrics


def summarise(metrics: Mapping[str, Metric]) -> dict[str, Tensor]:
    r"""The means of the metrics that were updated, and the :obj:`"score"`: the
    error relative to that of zero velocity, minus the accuracy.
    """
    found = {
        name: metric.compute().mean()
        for name, metric in metrics.items()
        if metric.update_called
    }
    score = -found.get("top1", torch.zeros(()))
    if "error" in found:
        score = score + found["error"] / found["still"].clamp(min=1e-12)
    return {**found, "score": score}


def classes_of(y: Tensor) -> Tensor:
    r"""The class of each sample, from labels of shape :math:`[N]`, or the
    largest of its probabilities, of shape :math:`[N, K]`. A sample of several
    classes has none.
    """
    if y.dim() == 1:
        return y
    single = (y.sum(dim=1) - 1).abs() < 1e-3
    return y.argmax(dim=1).where(single, UNLABELLED)


def find_standardize(transform: object) -> Standardize | None:
    r"""The normalisation that predictions must undo."""
    found = None
    for step in steps_of(transform):
        if isinstance(step, Standardize):
            found = step
        elif isinstance(step, ToBones):
            # Bones of normalised joints cannot be converted to another unit.
            found = None
    return found


def _error_of(
    expected: str | None, dataset: MotionDataset
) -> Callable[..., Metric]:
    found = "angle" if dataset.holds_rotations else "position"
    if expected not in (None, found):
        holds = "rotations" if dataset.holds_rotations else "positions"
        raise ValueError(
            f"'metric' must be {found!r} for data that hold {holds}, got "
            f"{expected!r}; if they do not, set their 'kind'"
        )
    if found == "angle":
        return MeanAngleError
    return partial(MPJPE, num_coordinates=dataset.num_coordinates)

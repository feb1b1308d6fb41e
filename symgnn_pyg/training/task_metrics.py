from functools import partial
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.metrics import MPJPE, MeanAngleError, TopKAccuracy
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.transforms import Standardize, ToBones, steps_of
from symgnn_pyg.typing import UNLABELLED


class TaskMetrics(MetricCollection):
    r"""What a task measures on the samples of a data set: the error of the
    network and of zero velocity (:obj:`"still"`), and accuracies where they
    mean something. It raises a :class:`ValueError` if the data require another
    error than :obj:`expected`.
    """

    def __init__(
        self,
        dataset: MotionDataset,
        labels: Tensor,
        num_scores: int,
        expected: str | None,
    ) -> None:
        kind, holds = "position", "positions"
        error: Any = partial(MPJPE, num_coordinates=dataset.num_coordinates)
        if dataset.holds_rotations:
            kind, holds, error = "angle", "rotations", MeanAngleError
        if expected not in (None, kind):
            raise ValueError(
                f"'metric' must be {kind!r} for data that hold {holds}, got "
                f"{expected!r}; if they do not, set their 'kind'"
            )
        metrics: dict[str, Metric] = {}
        num_classes = dataset.num_classes
        # Samples of several classes, which have no right one, are not counted.
        single = classes_of(labels) >= 0
        if dataset.num_future > 0:
            # Other samples are a group of their own.
            num_groups = max(1, num_classes + int(not single.all()))
            shape = dataset.skeleton.num_joints, dataset.num_future, num_groups
            metrics = {name: error(*shape) for name in ("error", "still")}
        num_scores = max(num_classes, num_scores)
        for k in (1, 5):
            if num_classes > 1 and single.any() and k <= num_scores:
                metrics[f"top{k}"] = TopKAccuracy(
                    num_scores, k, ignore_index=UNLABELLED
                )
        super().__init__(metrics, compute_groups=False)
        self.num_classes = num_classes
        # There is nothing to learn from a single class.
        self.labelled = num_classes > 1 and bool((labels >= 0).any())

    def update(
        self,
        out: SymGNNOutput,
        y: Tensor,
        last: Tensor,
        future: Tensor,
        num_bodies: Tensor | None,
    ) -> None:
        r"""Adds a batch, with poses in the unit of the data."""
        y = classes_of(y)
        if out.future is not None and "error" in self:
            group = torch.zeros_like(y)
            if self.labelled:
                group = y.where(y >= 0, self.num_classes)
            # A body belongs to the class of its sample.
            if num_bodies is not None:
                group = group.repeat_interleave(num_bodies)
            self["error"].update(out.future, future, group)
            self["still"].update(last.expand_as(future), future, group)
        for name in ("top1", "top5"):
            if out.logits is not None and name in self:
                self[name].update(out.logits, y)

    def compute(self) -> dict[str, Tensor]:
        r"""The means of the metrics that were updated, and the
        :obj:`"score"`: the error relative to that of zero velocity, minus the
        accuracy.
        """
        found = {
            name: metric.compute().mean()
            for name, metric in self.items()
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

from itertools import chain

import torch
from torch.nn import Module
from torchmetrics import Metric

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.modes import evaluation
from symgnn_pyg.training.evaluation_task import EvaluationTask
from symgnn_pyg.training.samples import DatasetLike


@torch.no_grad()
def evaluate(
    model: Module,
    dataset: DatasetLike,
    *,
    metric: str | None = None,
    batch_size: int = 64,
) -> dict[str, Metric]:
    r"""Evaluates a network on all samples of a data set, in evaluation mode
    and on the device of its parameters.

    Args:
        model: The network; see :class:`SymGNNTask`.
        dataset: The data set. If its transform contains a
            :class:`~symgnn_pyg.transforms.Standardize`, errors are measured in
            the unit of the data.
        metric: The prediction error that you expect, :obj:`"angle"` or
            :obj:`"position"`; see :class:`SymGNNTask`. (default: no check)
        batch_size: The number of samples per batch. (default: :obj:`64`)

    Returns:
        The metrics that apply, by name: the prediction :obj:`"error"`, the
        error of zero velocity (:obj:`"still"`), and the accuracies
        :obj:`"top1"` and :obj:`"top5"`.
    """
    weights = chain(model.parameters(), model.buffers())
    device = next(weights, torch.empty(0)).device
    task = EvaluationTask(model, dataset, metric).to(device)
    with evaluation(task):
        for i, batch in enumerate(SkeletonLoader(dataset, batch_size)):
            task.validation_step(batch.to(device), i)
    return {n: m for n, m in task.metrics.items() if m.update_called}

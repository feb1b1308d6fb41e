from itertools import chain

import torch
from torch.nn import Module
from torchmetrics import Metric

from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.training.symgnn_task import SymGNNTask


@torch.no_grad()
def evaluate(
    model: Module,
    dataset: MotionDataset,
    metric: str = "angle",
    batch_size: int = 64,
) -> dict[str, Metric]:
    r"""Runs a network over all samples of a data set, in evaluation mode, on
    the device that its parameters are on.

    Args:
        model: The network, as :class:`SymGNNTask` takes it.
        dataset: The data set; where its transform is or holds a
            :class:`~symgnn_pyg.transforms.Standardize`, errors are measured in
            the unit of the data.
        metric: The error of the prediction: :obj:`"angle"` or
            :obj:`"position"`; see :class:`SymGNNTask`.
            (default: :obj:`"angle"`)
        batch_size: The number of samples in a batch. (default: :obj:`64`)

    Returns:
        The metrics that apply, by name: the :obj:`"error"` of the prediction
        and that of zero velocity, :obj:`"still"`, and the accuracies
        :obj:`"top1"` and :obj:`"top5"`.
    """
    weights = chain(model.parameters(), model.buffers())
    device = next(weights, torch.empty(0)).device
    was_training = model.training
    task = SymGNNTask(model, dataset, metric=metric).to(device).eval()
    task.on_validation_epoch_start()
    for i, batch in enumerate(SkeletonLoader(dataset, batch_size)):
        task.validation_step(batch.to(device), i)
    model.train(was_training)
    return {n: m for n, m in task.metrics.items() if m.update_called}

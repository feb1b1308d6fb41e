"""Evaluates a network on windows."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from examples.paper.data import Data
from symgnn_pyg.data import SkeletonLoader
from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.metrics import PCK, MeanAngleError, TopKAccuracy
from symgnn_pyg.transforms import Standardize


@torch.no_grad()
def evaluate(
    model: Module, dataset: MotionDataset, data: Data
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Runs a network over all windows.

    Args:
        model: The network, in evaluation mode, on the CPU.
        dataset: The windows, of the joints or the bones.
        data: The data that the windows are from.

    Returns:
        The measures: accuracies, and for joints the mean angle error per
        action and frame and the share of correct keypoints per frame. And the
        outputs: class scores and labels of the windows whose actions the
        network was trained on, as no other can be recognised.
    """
    sizes = data.skeleton.num_joints, max(dataset.num_future, 2)
    angle, pck = MeanAngleError(*sizes, len(data.classes)), PCK(*sizes)
    transform = dataset.transform
    steps = getattr(transform, "transforms", [transform])
    standardize = next(s for s in steps if isinstance(s, Standardize))
    logits, labels = [], []
    for batch in SkeletonLoader(dataset, 64):
        out = model(batch.x)
        labels.append(batch.y)
        if out.logits is not None:
            logits.append(out.logits)
        if out.future is not None and dataset.skeleton == data.skeleton:
            poses = out.future, batch.future
            predicted, true = map(standardize.inverse, poses)
            angle.update(predicted, true, batch.y)
            pck.update(data.positions(predicted), data.positions(true))
    found: dict[str, Any] = {}
    if angle.update_called:
        groups, tested = angle.compute_groups().tolist(), angle.count > 0
        found["error"] = {
            action: groups[i]
            for i, action in enumerate(data.classes)
            if tested[i]
        }
        found["pck"] = pck.compute().tolist()
    y = torch.cat(labels)
    known = torch.isin(y, data.trained)
    outputs = {"labels": y[known]}
    if logits:
        outputs["logits"] = torch.cat(logits)[known]
        found |= accuracies(outputs["logits"], outputs["labels"])
    return found, outputs


def accuracies(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """The top-1 and top-5 accuracy of class scores [N, K]."""
    return {
        f"top{k}": float(TopKAccuracy(logits.size(1), k)(logits, labels))
        for k in (1, 5)
    }

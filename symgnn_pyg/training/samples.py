from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.utils.data import ConcatDataset, Subset

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.transforms import Standardize, steps_of

DatasetLike = MotionDataset | Subset[Any] | ConcatDataset[Any]


def source_of(dataset: Any) -> MotionDataset:
    r"""The data set that describes the samples of a
    :class:`~symgnn_pyg.datasets.MotionDataset`, or of any
    :class:`torch.utils.data.Subset` and
    :class:`torch.utils.data.ConcatDataset` of them: their skeleton, classes,
    numbers of frames and transform.

    Raises:
        TypeError: If it is another data set.
        ValueError: If joined data sets differ in any of these.
    """
    if isinstance(dataset, MotionDataset):
        return dataset
    if isinstance(dataset, Subset):
        return source_of(dataset.dataset)
    if not isinstance(dataset, ConcatDataset):
        raise TypeError(
            f"Expected a MotionDataset, or a Subset or ConcatDataset of them, "
            f"got {type(dataset).__name__}"
        )
    first, *others = map(source_of, dataset.datasets)
    described = _description(first)
    for other in others:
        for name, found in _description(other).items():
            if found != described[name]:
                raise ValueError(
                    f"Expected joined data sets with the same {name}, got "
                    f"{str(described[name])[:100]} and {str(found)[:100]}"
                )
    return first


def labels_of(dataset: Any) -> Tensor:
    r"""The label of each sample of such a data set, of shape [N], or the
    probabilities of its classes, of shape [N, K].
    """
    if isinstance(dataset, Subset):
        return labels_of(dataset.dataset)[list(dataset.indices)]
    if isinstance(dataset, ConcatDataset):
        return torch.cat([labels_of(part) for part in dataset.datasets])
    return dataset.labels


def statistics_of(standardize: Standardize | None) -> list[Any]:
    r"""The mean and the deviation by which poses are normalised, if any."""
    if standardize is None:
        return []
    return [standardize.mean.tolist(), standardize.std.tolist()]


def check_network(model: Module, dataset: MotionDataset) -> None:
    r"""Raises an error if a network has sizes that do not fit the samples of a
    data set. The message says what to pass to the network.
    """
    skeleton = getattr(model, "skeleton", dataset.skeleton)
    if skeleton.fingerprint != dataset.skeleton.fingerprint:
        raise ValueError(
            f"Expected a network for the skeleton of the data, "
            f"{dataset.skeleton!r}, got one for {skeleton!r}"
        )
    classes = getattr(model, "num_classes", 0)
    if 0 < classes < dataset.num_classes:
        raise ValueError(
            f"The network has {classes} classes, but the data have "
            f"{dataset.num_classes}; build it with "
            f"num_classes={dataset.num_classes}"
        )
    sizes = {
        "num_observed": dataset.num_observed,
        "in_channels": dataset.store.num_channels,
    }
    if dataset.num_future and getattr(model, "num_future", 0):
        sizes["num_future"] = dataset.num_future
    for name, size in sizes.items():
        built = getattr(model, name, size)
        if built != size:
            raise ValueError(
                f"The network has {name}={built}, but the samples have {size}; "
                f"build it with {name}={size}"
            )


def _description(dataset: MotionDataset) -> dict[str, object]:
    return {
        "skeleton": dataset.skeleton,
        "classes": dataset.classes,
        "number of observed frames": dataset.num_observed,
        "number of future frames": dataset.num_future,
        "number of channels": dataset.store.num_channels,
        "kind of values": (dataset.holds_rotations, dataset.unit),
        "number of coordinates": dataset.num_coordinates,
        "standardization": [
            statistics_of(step)
            for step in steps_of(dataset.transform)
            if isinstance(step, Standardize)
        ],
    }

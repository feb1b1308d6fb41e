from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.utils.data import ConcatDataset, Subset

from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.transforms import Standardize, steps_of

Samples = MotionDataset | Subset[Any] | ConcatDataset[Any]


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
    first, *others = _sources(dataset)
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
    r"""The label of each sample of such a data set, of shape :math:`[N]`."""
    if isinstance(dataset, Subset):
        return labels_of(dataset.dataset)[list(dataset.indices)]
    if isinstance(dataset, ConcatDataset):
        return torch.cat([labels_of(part) for part in dataset.datasets])
    return dataset.labels


def check_network(model: Module, dataset: MotionDataset) -> None:
    r"""Checks that a network fits the samples of a data set, as far as it
    tells its sizes.

    Raises:
        ValueError: If it does not. The message says what to pass to the
            network.
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
    future = dataset.num_future
    for name, size in (
        ("num_observed", dataset.num_observed),
        ("num_future", future if getattr(model, "num_future", 0) else 0),
        ("in_channels", dataset.store.num_channels),
    ):
        built = getattr(model, name, size)
        if built != size and not (name == "num_future" and future == 0):
            raise ValueError(
                f"The network has {name}={built}, but the samples have {size}; "
                f"build it with {name}={size}"
            )


def _sources(dataset: Any) -> list[MotionDataset]:
    if isinstance(dataset, MotionDataset):
        return [dataset]
    if isinstance(dataset, Subset):
        return _sources(dataset.dataset)
    if isinstance(dataset, ConcatDataset):
        return [each for part in dataset.datasets for each in _sources(part)]
    raise TypeError(
        f"Expected a MotionDataset, or a Subset or ConcatDataset of them, got "
        f"{type(dataset).__name__}"
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
            (step.mean.tolist(), step.std.tolist())
            for step in steps_of(dataset.transform)
            if isinstance(step, Standardize)
        ],
    }

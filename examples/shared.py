"""Helpers that the examples share."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Module

from symgnn_pyg.data import bone_features
from symgnn_pyg.datasets import MotionDataset
from symgnn_pyg.nn import DualSymGNN, DualSymGNNOutput, SymGNN


def positive(
    kind: type, least: float = 1e-6, most: float = 1e9
) -> Callable[[str], float]:
    """Returns an argument type for numbers from `least` to `most`."""

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"must be from {least:g} to {most:g}, got {text}"
            )
        return value

    return number


def weighting(text: str) -> float | str:
    """The argument type of 'mgda' or a fixed weight of recognition."""
    return text if text == "mgda" else positive(float, 0, 1)(text)


class FromJoints(Module):
    """A dual network that computes the bones from the joints."""

    def __init__(self, dual: DualSymGNN) -> None:
        super().__init__()
        self.dual = dual

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> DualSymGNNOutput:
        bones = bone_features(x, self.dual.joint.skeleton)
        return self.dual(x, bones, num_bodies)


def light_network(
    train: MotionDataset,
    channels: Sequence[int],
    dropout: float,
    **arguments: Any,
) -> SymGNN:
    """The light network for a data set, with the given block widths and further
    arguments. All blocks but the first halve the frame rate, and the scales are
    fused after them.
    """
    return SymGNN.light(
        train.skeleton,
        train.num_classes,
        num_observed=train.num_observed,
        num_future=train.num_future,
        channels=tuple(channels),
        strides=(1,) + (2,) * (len(channels) - 1),
        fusion=tuple(range(1, len(channels))),
        dropout=dropout,
        **arguments,
    )

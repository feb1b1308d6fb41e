"""Helpers that the examples share."""

import argparse
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import Module

from symgnn_pyg.data import bone_features
from symgnn_pyg.nn import DualSymGNN, DualSymGNNOutput

# Equation (10), and the mean over time.
PAPER_HEAD: dict[str, Any] = {
    "decoder": "recursive",
    "forecast": False,
    "learned_pool": False,
}


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

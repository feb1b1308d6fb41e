from typing import TypeVar

import torch
from torch.nn import Module

Layer = TypeVar("Layer", bound=Module)


def randomise_state(layer: Layer, seed: int = 0) -> Layer:
    r"""Randomises the weights of a layer and the running statistics of its
    batch normalisation in place. The initial state of a layer may hide faults:
    weights of zero hide the layers before them, and all masks of ones are
    alike.

    Args:
        layer: The layer, which is modified.
        seed: The seed, which gives the same values in every data type.
            (default: :obj:`0`)

    Returns:
        The layer.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in layer.parameters():
            scale = 0.5 if weight.dim() < 2 else weight.size(-1) ** -0.5
            drawn = torch.randn(weight.shape, generator=generator)
            weight.copy_(scale * drawn)
        for name, buffer in layer.named_buffers():
            drawn = torch.randn(buffer.shape, generator=generator)
            if name.endswith("running_mean"):
                buffer.copy_(drawn / 4)
            elif name.endswith("running_var"):
                buffer.copy_(drawn.exp())
    return layer

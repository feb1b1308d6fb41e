from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Module

# The arguments of a layer by name.
Inputs = Mapping[str, object]


@contextmanager
def evaluation(*layers: Module) -> Iterator[None]:
    r"""Evaluation mode for a block."""
    modes = {m: m.training for layer in layers for m in layer.modules()}
    for layer in layers:
        layer.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def refuse_zeros(layer: Module, out: Mapping[str, Tensor]) -> None:
    r"""Refuses a layer that returns nothing but zeros, which have every
    property.

    Args:
        layer: The layer.
        out: What it returned, and more.

    Raises:
        ValueError: If that is all zeros.
    """
    if any(t.numel() for t in out.values()) and not any(
        t.any() for t in out.values()
    ):
        raise ValueError(
            f"{type(layer).__name__} returns nothing but zeros, which proves "
            f"nothing: `randomise_state` moves weights that start at zero"
        )


def evaluate(
    layer: Callable[..., object],
    inputs: Inputs,
    weights: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    r"""What a layer returns, and the gradients of half its squared norm:
    whatever moves, splits or joins outputs does the same to gradients.

    Args:
        layer: The layer.
        inputs: Its arguments by name.
        weights: Its weights by name, if there are to be gradients to them.

    Returns:
        All these tensors by name.
    """
    leaves = {
        name: value.detach().clone().requires_grad_()
        for name, value in inputs.items()
        if isinstance(value, Tensor) and value.is_floating_point()
    }
    out = tensors(layer(**{**inputs, **leaves}))
    leaves |= weights or {}
    found = {name: tensor.detach() for name, tensor in out.items()}
    smooth = [t.square().sum() / 2 for t in out.values() if t.requires_grad]
    if smooth and leaves:
        grads = torch.autograd.grad(
            torch.stack(smooth).sum(),
            [*leaves.values()],
            allow_unused=True,
            materialize_grads=True,
        )
        found |= dict(zip(map(gradient_of, leaves), grads, strict=True))
    return found


def gradient_of(name: str) -> str:
    r"""What :func:`evaluate` calls the gradient to an input or weight."""
    return f"gradient to {name!r}"


def tensors(out: object, name: str = "output") -> dict[str, Tensor]:
    r"""The tensors of an output by name: the fields of a named tuple, the
    numbers of another.

    Raises:
        TypeError: If there is something else in it.
    """
    if isinstance(out, Tensor):
        return {name: out}
    if out is None:
        return {}
    if hasattr(out, "_asdict"):
        parts = out._asdict().items()
    elif isinstance(out, tuple | list):
        parts = [(f"output {i}", part) for i, part in enumerate(out)]
    else:
        raise TypeError(f"The {name} is a {type(out).__name__}, no tensor")
    prefix = "" if name == "output" else f"{name}."
    return {
        key: tensor
        for field, part in parts
        for key, tensor in tensors(part, f"{prefix}{field}").items()
    }

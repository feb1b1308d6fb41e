from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Module

# The arguments of a layer by name.
Inputs = Mapping[str, object]


@contextmanager
def no_errors(broken: str) -> Iterator[None]:
    r"""Turns an error in the block into an :class:`AssertionError` that begins
    with :obj:`broken`.
    """
    try:
        yield
    except Exception as error:
        raise AssertionError(
            f"{broken}: {type(error).__name__}: {error}"
        ) from error


def check_nonzero(layer: Module, out: Mapping[str, Tensor]) -> None:
    r"""Checks that a layer does not return only zeros, which would satisfy
    every property.
    """
    if any(t.numel() for t in out.values()) and not any(
        t.any() for t in out.values()
    ):
        raise ValueError(
            f"Expected {type(layer).__name__} to return values other than "
            f"zero; if its weights start at zero, call 'randomise_state' first"
        )


def evaluate(
    layer: Callable[..., object],
    inputs: Inputs,
    weights: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    r"""Computes the outputs of a layer and the gradients of half their squared
    norm, which permutations, splits and concatenations transform like the
    outputs.

    Args:
        layer: The layer.
        inputs: Its arguments by name.
        weights: The weights to compute gradients for, by name.
            (default: none)

    Returns:
        The outputs and gradients by name.
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
    r"""The name of the gradient to an input or weight in :func:`evaluate`."""
    return f"gradient to {name!r}"


def tensors(out: object, name: str = "output") -> dict[str, Tensor]:
    r"""The tensors of an output, named by the fields of a named tuple or
    numbered in other sequences.
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
        raise TypeError(
            f"Expected the {name} to be a tensor or a sequence of tensors, "
            f"got {type(out).__name__}"
        )
    prefix = "" if name == "output" else f"{name}."
    return {
        key: tensor
        for field, part in parts
        for key, tensor in tensors(part, f"{prefix}{field}").items()
    }

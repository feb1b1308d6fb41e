import copy
import io
import pickle
from collections.abc import Callable, Sequence

import safetensors.torch
import torch
from torch.nn import Module

from symgnn_pyg.modes import evaluation
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import (
    Inputs,
    check_nonzero,
    no_errors,
    tensors,
)

Make = Callable[[], Module]


def assert_state_round_trip(
    layer: Module,
    make: Make,
    inputs: Inputs,
    ways: Sequence[str] = ("safetensors", "torch", "deepcopy", "pickle"),
) -> None:
    r"""Asserts that a layer can be saved and restored: the copy returns the
    same numbers, bit for bit, and shares no memory with the layer.

    Args:
        layer: The layer, whose weights must differ from those of a new layer.
            It is not modified.
        make: A function that creates a new layer, into which a saved state is
            loaded.
        inputs: The arguments of the layer by name.
        ways: The ways to copy: the state by :obj:`"safetensors"` or
            :obj:`"torch"` (:func:`torch.save`, and :func:`torch.load` with
            :obj:`weights_only=True`), or the whole layer by
            :obj:`"deepcopy"` or :obj:`"pickle"`. (default: all)

    Raises:
        AssertionError: If the layer cannot be copied, the copy returns
            something else, or they share memory.
        ValueError: If a way is unknown, or the layer returns only zeros.

    Example:
        >>> def make():
        ...     return StructuralGraphConv(3, 8, skeleton)
        >>> assert_state_round_trip(
        ...     randomise_state(make()), make, {"x": torch.randn(26, 50, 3)}
        ... )
    """
    unknown = [way for way in ways if way not in WAYS]
    if unknown:
        raise ValueError(f"'ways' must be among {[*WAYS]}, got {unknown}")
    name = type(layer).__name__
    with torch.no_grad(), evaluation(layer):
        out = tensors(layer(**inputs))
        expected = {name: tensor.clone() for name, tensor in out.items()}
        check_nonzero(layer, expected)
        for way in ways:
            with no_errors(f"{name} cannot be copied by {way!r}"):
                other = WAYS[way](layer, make).eval()
            broken = f"{name} changes when it is copied by {way!r}"
            compare(tensors(other(**inputs)), expected, broken, rtol=0.0)
            for tensor in (*other.parameters(), *other.buffers()):
                tensor.zero_()
            broken = f"{name} shares memory with its copy by {way!r}"
            compare(tensors(layer(**inputs)), expected, broken, rtol=0.0)


def _safetensors(layer: Module, make: Make) -> Module:
    state = {k: t.contiguous() for k, t in layer.state_dict().items()}
    data = safetensors.torch.save(state)
    return _load(make(), safetensors.torch.load(data))


def _torch(layer: Module, make: Make) -> Module:
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    return _load(make(), torch.load(file, weights_only=True))


def _load(layer: Module, state: dict[str, torch.Tensor]) -> Module:
    layer.load_state_dict(state)
    return layer


WAYS: dict[str, Callable[[Module, Make], Module]] = {
    "safetensors": _safetensors,
    "torch": _torch,
    "deepcopy": lambda layer, _: copy.deepcopy(layer),
    "pickle": lambda layer, _: pickle.loads(pickle.dumps(layer)),
}

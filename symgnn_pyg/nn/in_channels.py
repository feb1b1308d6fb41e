"""Layers whose `in_channels` may be -1, as in PyG: the first batch sets it, or
a state that is loaded first.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn.batch import check_tensor


def set_in_channels(
    layer: Any, in_channels: int, weight: str, start_dim: int = -1
) -> None:
    r"""Sets the :obj:`in_channels` of a layer. If it is :obj:`-1`, it is set
    again when it is known, and the method :obj:`initialize_parameters` of the
    layer is called.

    Args:
        layer: The layer.
        in_channels: The number of channels, or :obj:`-1`.
        weight: The key in the layer's state of a weight whose second dimension
            has this size.
        start_dim: The first of the dimensions of an input that hold channels.
            (default: :obj:`-1`)

    Raises:
        TypeError: If :obj:`in_channels` is not an integer.
        ValueError: If it is neither positive nor -1.
    """
    check_sizes(-1 if in_channels == -1 else 1, in_channels=in_channels)
    layer.in_channels = in_channels
    if in_channels != -1:
        return
    # Unlike closures, partial functions can be pickled with the layer.
    layer._first_forward = layer.register_forward_pre_hook(
        partial(_infer_from_batch, start_dim), with_kwargs=True
    )
    layer.register_load_state_dict_pre_hook(partial(_infer_from_state, weight))


def _infer_from_batch(
    start_dim: int, layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    x: Any = args[0] if args else kwargs.get("x")
    check_tensor(x)
    in_channels = x.flatten(start_dim).size(-1) if x.dim() > 1 else 0
    if in_channels == 0:
        raise ValueError(
            f"Expected 'x' with nodes first and at least one channel last, got "
            f"shape {list(x.shape)}"
        )
    _initialize(layer, in_channels)


def _infer_from_state(
    key: str, layer: Any, state: Mapping[str, Tensor], prefix: str, *_: object
) -> None:
    weight = state.get(prefix + key)
    if layer.in_channels == -1 and weight is not None and not is_lazy(weight):
        _initialize(layer, weight.size(1))


def _initialize(layer: Any, in_channels: int) -> None:
    layer._first_forward.remove()
    del layer._first_forward
    layer.in_channels = in_channels
    # Weights that are created in inference mode cannot be trained.
    with torch.inference_mode(False):
        layer.initialize_parameters(in_channels)

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor
from torch.nn import Module


class FixedBuffers(Module):
    r"""A module with buffers that follow from its arguments, are not part of
    its state, and stay exact: whatever moves or converts the module makes them
    from the original again. A module on the device :obj:`"meta"` therefore has
    them after :meth:`torch.nn.Module.to_empty`, and one that is converted to
    double precision has them in double precision.
    """

    def __init__(self) -> None:
        super().__init__()
        self._fixed: dict[str, Tensor] = {}

    def register_fixed(self, name: str, tensor: Tensor) -> None:
        r"""Registers a buffer.

        Args:
            name: The name of the buffer.
            tensor: The exact numbers, on the CPU: of type
                :obj:`torch.float64` for a buffer of the default type, or
                integers.
        """
        self._fixed[name] = tensor
        # A new tensor, on the device of the context.
        buffer = torch.empty(tensor.shape, dtype=_dtype(tensor))
        buffer = _filled(buffer, tensor)
        if tensor.is_floating_point():
            self.register_buffer(name, buffer, persistent=False)
        else:
            # Not a buffer, since averages of buffers round integers down.
            setattr(self, name, buffer)

    def _apply(
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> Self:
        super()._apply(fn, recurse)
        for name, tensor in self._fixed.items():
            moved = getattr(self, name)
            if name not in self._buffers:
                moved = fn(moved)
            setattr(self, name, _filled(moved, tensor))
        return self


def _dtype(tensor: Tensor) -> torch.dtype:
    if tensor.is_floating_point():
        return torch.get_default_dtype()
    return tensor.dtype


def _filled(buffer: Tensor, tensor: Tensor) -> Tensor:
    return tensor.to(buffer.device, buffer.dtype, copy=True)

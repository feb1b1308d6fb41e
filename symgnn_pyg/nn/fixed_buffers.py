from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor
from torch.nn import Module


class FixedBuffers(Module):
    r"""A module with buffers that follow from its arguments and are not part
    of its state. They stay exact, since moving or converting the module copies
    them from the original again: :meth:`torch.nn.Module.to_empty` fills those
    on the device :obj:`"meta"`, and :meth:`torch.nn.Module.double` gives them
    in double precision.
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
        is_float = tensor.is_floating_point()
        dtype = torch.get_default_dtype() if is_float else tensor.dtype
        # On the device of the context.
        buffer = torch.empty(tensor.shape, dtype=dtype).copy_(tensor)
        if is_float:
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
            setattr(self, name, tensor.to(moved.device, moved.dtype, copy=True))
        return self

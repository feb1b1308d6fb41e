from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.errors import warn

Inputs = tuple[Tensor | None, ...]


class CapturedNetwork(Module):
    r"""Replays a network as a CUDA graph: one launch for all of its work,
    including the loop of the prediction head, instead of one for each of
    hundreds of small kernels. This saves time where launching takes longer than
    computing, as for a single sequence.

    The first call with inputs of new shapes or types runs the network a few
    times and captures it; each capture keeps the memory of a forward pass.
    Values of the weights may change afterwards, but a weight must not be
    replaced. In training mode, with gradients and on a CPU, the network runs as
    usual. So does a network that cannot be captured, for example because it
    waits for the GPU, with a warning.

    Args:
        network: The network. It takes tensors, or :obj:`None` in their place,
            and returns one tensor or a tuple of them.

    Example:
        >>> captured = CapturedNetwork(model.eval())
        >>> with torch.inference_mode():
        ...     future = captured(x).future
    """

    def __init__(self, network: Module) -> None:
        super().__init__()
        self.network = network
        self.train(network.training)
        self._captures: dict[tuple[object, ...], _Capture] = {}

    def forward(self, *inputs: Tensor | None) -> Any:
        r"""Runs the forward pass.

        Args:
            inputs: The inputs of the network.
        """
        if self.training or torch.is_grad_enabled():
            return self.network(*inputs)
        weight = next(self.network.parameters(), None)
        kind = "cpu" if weight is None else weight.device.type
        key = (
            # Moved weights have another address.
            None if weight is None else weight.data_ptr(),
            torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind),
            *((t.shape, t.dtype, t.device) if t is not None else None
              for t in inputs),
        )  # fmt: skip
        if key not in self._captures:
            self._captures[key] = _Capture(self.network, inputs)
        return self._captures[key](inputs)


class _Capture:
    r"""The work of a network on inputs of certain shapes and types."""

    def __init__(self, network: Module, inputs: Inputs) -> None:
        self.network = network
        # Tensors of inference mode could not be written to outside of it.
        with torch.inference_mode(False):
            self.inputs = tuple(
                None if t is None else torch.empty_like(t) for t in inputs
            )
        self.graph: torch.cuda.CUDAGraph | None = None
        self.outputs: Any = None
        if any(t is not None and t.is_cuda for t in inputs):
            self._fill(inputs)
            # Kept even if the capture fails, since torch then still holds
            # memory for it.
            self._started = torch.cuda.CUDAGraph()
            try:
                self._capture(self._started)
            except RuntimeError as error:
                warn(
                    f"The network runs without a CUDA graph, since it cannot "
                    f"be captured: {error}"
                )
            else:
                self.graph = self._started

    def __call__(self, inputs: Inputs) -> Any:
        self._fill(inputs)
        if self.graph is None:
            self.outputs = self.network(*self.inputs)
        else:
            self.graph.replay()
        # The next call overwrites them.
        if isinstance(self.outputs, Tensor):
            return self.outputs.clone()
        copies = (None if t is None else t.clone() for t in self.outputs)
        kind: Any = type(self.outputs)
        return getattr(kind, "_make", kind)(copies)

    def _fill(self, inputs: Inputs) -> None:
        for own, given in zip(self.inputs, inputs, strict=True):
            if own is not None and given is not None:
                own.copy_(given)

    def _capture(self, graph: torch.cuda.CUDAGraph) -> None:
        # Libraries initialise themselves in the first passes, which must run
        # on another stream.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.autocast(
            "cuda",
            torch.get_autocast_dtype("cuda"),
            torch.is_autocast_enabled("cuda"),
            # Converted weights must be converted again in each replay.
            cache_enabled=False,
        ):
            with torch.cuda.stream(stream):
                for _ in range(3):
                    self.network(*self.inputs)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self.outputs = self.network(*self.inputs)

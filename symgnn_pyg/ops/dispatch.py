import os
from collections.abc import Sequence
from math import prod
from types import TracebackType

import torch
from torch import Tensor

from symgnn_pyg.ops.blocked import graph_mix_blocked
from symgnn_pyg.ops.dense import graph_mix_dense
from symgnn_pyg.ops.equal_sizes import Kernel
from symgnn_pyg.ops.onednn import graph_mix_onednn
from symgnn_pyg.ops.plain_code import needs_plain_code
from symgnn_pyg.ops.product import onednn_is_faster
from symgnn_pyg.ops.reference import graph_mix_reference
from symgnn_pyg.ops.stack_graphs import stack_graphs
from symgnn_pyg.ops.stacked import graph_mix_stacked
from symgnn_pyg.ops.triton import graph_mix_triton
from symgnn_pyg.typing import GraphLike

KERNELS: dict[str, Kernel] = {
    "blocked": graph_mix_blocked,
    "dense": graph_mix_dense,
    "onednn": graph_mix_onednn,
    "reference": graph_mix_reference,
    "stacked": graph_mix_stacked,
    "triton": graph_mix_triton,
}
# Up to so many numbers in K copies of the features, few large products beat
# many small ones.
SMALL = 2**20
# Samples of fewer rows are too little work for products of their own: of a
# batch as small as that, and of any.
MANY, FEW = 600, 160
# K copies of samples of so many rows leave the cache, which costs more than
# large products of half precision gain.
LONG = 2500
VARIABLE = "SYMGNN_PYG_KERNEL"


def kernels() -> tuple[str, ...]:
    r"""The names of the kernels of :func:`graph_mix`."""
    return tuple(KERNELS)


def _check(kernel: str) -> str:
    if kernel != "auto" and kernel not in KERNELS:
        raise ValueError(
            f"No kernel is called {kernel!r}; there are 'auto', "
            f"{', '.join(map(repr, KERNELS))}"
        )
    return kernel


_kernel = _check(os.environ.get(VARIABLE, "auto"))


class use:  # noqa: N801
    r"""Forces one kernel of :func:`graph_mix`, for good or, as a context
    manager, for a block:

    .. code-block:: python

        ops.use("reference")
        with ops.use("dense"):
            ...

    The environment variable :obj:`SYMGNN_PYG_KERNEL` sets the kernel that a
    process starts with.

    Args:
        kernel: A name of :func:`kernels`, or :obj:`"auto"` to choose by
            device and shape.

    Raises:
        ValueError: If there is no such kernel.
    """

    def __init__(self, kernel: str) -> None:
        global _kernel
        self._previous, _kernel = _kernel, _check(kernel)

    def __enter__(self) -> "use":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        global _kernel
        _kernel = self._previous


def graph_mix(
    x: Tensor, graphs: Tensor | Sequence[GraphLike], weight: Tensor
) -> Tensor:
    r"""The one operator behind equations (3), (4), (5) and (7):

    .. math::
        \mathbf{Y} = \sum_{k=1}^{K} \mathbf{A}_k \mathbf{X} \mathbf{W}_k

    where each :math:`\mathbf{A}_k` is shared by all :math:`N` samples of the
    batch or there is one per sample. Samples may differ in size.

    Args:
        x: Node features, of shape :math:`[\sum_n V_n, *, C_{in}]`: the joints
            of one sample after those of another.
        graphs: The :math:`K` graphs. Each is a matrix :math:`[V, V]` (shared)
            or :math:`[N, V, V]` (one per sample); or, where samples differ in
            size, a sequence of :math:`N` matrices :math:`[V_n, V_n]`. For
            equal sizes also all in one tensor :math:`[N, K, V, V]`.
        weight: The weights, of shape :math:`[K, C_{in}, C_{out}]`.

    Returns:
        The new features, of shape :math:`[\sum_n V_n, *, C_{out}]`.

    Raises:
        ValueError: If the shapes do not fit; the message names them.
    """
    if weight.dim() != 3:
        raise ValueError(
            f"Expected 'weight' [K, C_in, C_out], got shape "
            f"{list(weight.shape)}"
        )
    if x.dim() < 2 or x.size(-1) != weight.size(1):
        raise ValueError(
            f"Expected 'x' with {weight.size(1)} channels in its last "
            f"dimension, got shape {list(x.shape)}"
        )
    stack, sizes = stack_graphs(x, graphs, weight)
    kind = x.device.type
    if torch.is_autocast_enabled(kind) and x.dtype != torch.float64:
        dtype = torch.get_autocast_dtype(kind)
        x, stack, weight = x.to(dtype), stack.to(dtype), weight.to(dtype)
    frames = x.reshape(x.size(0), prod(x.shape[1:-1]), x.size(-1))
    automatic = _kernel == "auto" or needs_plain_code()
    kernel = _choose(frames, weight, sizes) if automatic else _kernel
    out = KERNELS[kernel](frames, stack, weight, sizes)
    return out.view(*x.shape[:-1], weight.size(2))


def _choose(x: Tensor, weight: Tensor, sizes: Sequence[int]) -> str:
    # Measured on the CPU alone, by `python -m benchmarks.operators`, which
    # prints every kernel for sequences, single frames and single graphs; so
    # "triton" is for those who ask for it.
    if x.device.type != "cpu" or needs_plain_code():
        return "dense"
    if weight.size(0) == 1:
        return "dense"
    half = x.dtype in (torch.bfloat16, torch.float16)
    small = x.numel() * weight.size(0) <= SMALL
    rows = x.size(1) * max(sizes, default=0)
    if half:
        return "stacked" if rows < LONG else "onednn"
    if not onednn_is_faster(x):
        return "stacked" if small else "blocked"
    return "stacked" if rows < (MANY if small else FEW) else "onednn"

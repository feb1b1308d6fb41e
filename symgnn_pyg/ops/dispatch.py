import os
from collections.abc import Callable, Sequence
from types import TracebackType

import torch
from torch import Tensor

from symgnn_pyg.ops.blocked import graph_mix_blocked
from symgnn_pyg.ops.dense import graph_mix_dense
from symgnn_pyg.ops.reference import graph_mix_reference

Kernel = Callable[[Tensor, Sequence[Tensor], Tensor], Tensor]

KERNELS: dict[str, Kernel] = {
    "blocked": graph_mix_blocked,
    "dense": graph_mix_dense,
    "reference": graph_mix_reference,
}
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


def graph_mix(x: Tensor, graphs: Sequence[Tensor], weight: Tensor) -> Tensor:
    r"""The one operator behind equations (3), (4), (5) and (7):

    .. math::
        \mathbf{Y} = \sum_{k=1}^{K} \mathbf{A}_k \mathbf{X} \mathbf{W}_k

    where each :math:`\mathbf{A}_k` is shared by all :math:`N` samples of the
    batch or there is one per sample.

    Args:
        x: Node features, of shape :math:`[N \cdot V, *, C_{in}]`: the joints
            of one sample after those of another.
        graphs: The :math:`K` matrices, each of shape :math:`[V, V]` (shared)
            or :math:`[N, V, V]` (one per sample).
        weight: The weights, of shape :math:`[K, C_{in}, C_{out}]`.

    Returns:
        The new features, of shape :math:`[N \cdot V, *, C_{out}]`.

    Raises:
        ValueError: If the shapes do not fit; the message names them.
    """
    _check_shapes(x, graphs, weight)
    kernel = _choose(x) if _kernel == "auto" else _kernel
    return KERNELS[kernel](x, graphs, weight)


def _choose(x: Tensor) -> str:
    # The compiler fuses plain code itself, and autocast acts on plain code;
    # elsewhere on a CPU blocks win (`python -m benchmarks.train_step`).
    plain = torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu")
    return "blocked" if x.device.type == "cpu" and not plain else "dense"


def _check_shapes(x: Tensor, graphs: Sequence[Tensor], weight: Tensor) -> None:
    if len(graphs) == 0 or weight.dim() != 3 or weight.size(0) != len(graphs):
        raise ValueError(
            f"Expected one weight [C_in, C_out] for each of the "
            f"{len(graphs)} graphs, got 'weight' of shape "
            f"{list(weight.shape)}"
        )
    if x.dim() < 2 or x.size(-1) != weight.size(1):
        raise ValueError(
            f"Expected 'x' with {weight.size(1)} channels in its last "
            f"dimension, got shape {list(x.shape)}"
        )
    num_joints = graphs[0].size(-1)
    if x.size(0) % num_joints != 0:
        raise ValueError(
            f"'x' has {x.size(0)} rows (shape {list(x.shape)}), which is no "
            f"multiple of the {num_joints} joints of a graph"
        )
    shared = (num_joints, num_joints)
    per_sample = (x.size(0) // num_joints, *shared)
    for graph in graphs:
        if tuple(graph.shape) not in (shared, per_sample):
            raise ValueError(
                f"Expected graphs of shape {list(shared)} or "
                f"{list(per_sample)} for 'x' of shape {list(x.shape)}, got "
                f"{list(graph.shape)}"
            )

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from math import prod
from threading import local

import torch
from torch import Tensor

from symgnn_pyg.ops import formulas
from symgnn_pyg.ops.checks import autocast_dtype, check_features
from symgnn_pyg.ops.recompute import recompute
from symgnn_pyg.ops.triton import graph_mix_triton
from symgnn_pyg.typing import GraphLike

Formula = Callable[[Tensor, Tensor, Tensor], Tensor]

FORMULAS: dict[str, Formula] = {
    "blocked": formulas.blocked,
    "dense": formulas.dense,
    "reference": formulas.reference,
    "stacked": formulas.stacked,
}


def formula_names() -> tuple[str, ...]:
    r"""The names of the formulas of :func:`graph_mix`."""
    return (*FORMULAS, "triton")


def _check(formula: str) -> str:
    if formula not in ("auto", *formula_names()):
        raise ValueError(
            f"Expected 'auto' or one of "
            f"{', '.join(map(repr, formula_names()))}, got {formula!r}"
        )
    return formula


class _Chosen(local):
    formula = _check(os.environ.get("SYMGNN_PYG_FORMULA", "auto"))


_chosen = _Chosen()


def chosen() -> str:
    r"""The formula that is forced in the current thread, or
    :obj:`"auto"`."""
    return _chosen.formula


@contextmanager
def use(formula: str) -> Iterator[None]:
    r"""Forces one formula of :func:`graph_mix` within a block, in the current
    thread:

    .. code-block:: python

        with ops.use("dense"):
            ...

    The environment variable :obj:`SYMGNN_PYG_FORMULA` forces one for a whole
    process.

    Args:
        formula: A name of :func:`formula_names`, or :obj:`"auto"` to choose by
            device and shape.

    Raises:
        ValueError: If there is no such formula.
    """
    previous, _chosen.formula = _chosen.formula, _check(formula)
    try:
        yield
    finally:
        _chosen.formula = previous


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
    stacks = stack_graphs(x, graphs, weight)
    dtype = autocast_dtype(x)
    if dtype is not None:
        x, weight = x.to(dtype), weight.to(dtype)
        stacks = [stack.to(dtype) for stack in stacks]
    shape = *x.shape[:-1], weight.size(2)
    x = x.reshape(x.size(0), prod(x.shape[1:-1]), x.size(-1))  # [M, P, C]
    if not stacks:
        # Without rows, the gradients to the weights are zeros.
        return (x @ weight.sum(dim=0)).view(shape)
    forced = chosen()
    if forced == "auto" and x.device.type == "cuda":
        forced = _choose_on_gpu(x.size(-1))
    if forced == "triton":
        # An exported program must run without this package.
        fused = None
        if not torch.compiler.is_exporting():
            fused = graph_mix_triton(x, stacks, weight)
        if fused is not None:
            return fused.view(shape)
        forced = "dense"
    parts = x.split([stack.size(0) * stack.size(2) for stack in stacks])
    out = []
    for rows, stack in zip(parts, stacks, strict=True):
        samples = rows.unflatten(0, (stack.size(0), stack.size(2)))
        formula = _choose(samples, weight) if forced == "auto" else forced
        out.append(_run(formula, samples, stack, weight).flatten(0, 1))
    return (out[0] if len(out) == 1 else torch.cat(out)).view(shape)


# On a GPU, the formula for features of up to this many channels C_in. To be
# filled from `python -m benchmarks gpu`: no GPU has timed them yet.
ON_GPU = ((sys.maxsize, "dense"),)
# On a CPU, up to this many numbers in K copies of the features, products beat
# the convolution of the blocked formula (`python -m benchmarks.operators`).
SMALL = 2**16
# So do they for single frames of fewer samples than this, its images.
FEW = 16


def _choose_on_gpu(
    num_channels: int, table: Sequence[tuple[int, str]] = ON_GPU
) -> str:
    if torch.compiler.is_compiling():
        return "dense"
    return next(name for most, name in table if num_channels <= most)


def _choose(x: Tensor, weight: Tensor) -> str:
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return "dense"
    small = x.numel() * weight.size(0) <= SMALL
    few = x.size(2) == 1 and x.size(0) < FEW
    return "stacked" if small or few else "blocked"


def _run(formula: str, x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    if formula != "blocked":
        return recompute(FORMULAS[formula], x, graphs, weight)
    # Without samples, frames or channels there is nothing to walk.
    walks = x.numel() > 0 and weight.numel() > 0
    return FORMULAS["blocked" if walks else "dense"](x, graphs, weight)


def stack_graphs(
    x: Tensor, graphs: Tensor | Sequence[GraphLike], weight: Tensor
) -> list[Tensor]:
    r"""Checks the shapes of what :func:`graph_mix` is given, and brings its
    graphs into one form.

    Args:
        x: Node features, of shape :math:`[\sum_n V_n, *, C_{in}]`.
        graphs: The graphs, as :func:`graph_mix` takes them.
        weight: The weights, of shape :math:`[K, C_{in}, C_{out}]`.

    Returns:
        All graphs of the samples in order, of shape :math:`[N, K, V, V]`: one
        tensor for each run of neighbouring samples of equal size, and
        therefore a single one if all have the same size.

    Raises:
        ValueError: If the shapes do not fit; the message names them.
    """
    check_features(x, weight)
    num_graphs = weight.size(0)
    if isinstance(graphs, Tensor):
        if graphs.dim() != 4 or graphs.size(1) != num_graphs:
            raise ValueError(
                f"Expected all 'graphs' in a tensor [N, {num_graphs}, V, V], "
                f"one for each weight, got {list(graphs.shape)}"
            )
        _check_graph(graphs[:, 0], x, graphs.size(-1))
        return [graphs]
    if len(graphs) != num_graphs:
        raise ValueError(
            f"Expected one weight [C_in, C_out] for each of the "
            f"{len(graphs)} graphs, got 'weight' of shape "
            f"{list(weight.shape)}"
        )
    matrices = [graph for graph in graphs if isinstance(graph, Tensor)]
    if len(matrices) < num_graphs:
        return _stack_runs(x, graphs)
    v = matrices[0].size(-1)
    # Graphs per sample first: an exported program takes the number of samples
    # from them, since it cannot divide it out of the rows.
    by_dim = sorted(matrices, key=lambda graph: -graph.dim())
    for graph in by_dim:
        _check_graph(graph, x, v)
    known = by_dim[0]
    num_samples = known.size(0) if known.dim() == 3 else x.size(0) // v
    shape = (num_samples, v, v)
    return [torch.stack([graph.expand(shape) for graph in matrices], dim=1)]


def _check_graph(graph: Tensor, x: Tensor, num_joints: int) -> None:
    if num_joints == 0:
        raise ValueError(f"A graph of shape {list(graph.shape)} has no joints")
    shared = (num_joints, num_joints)
    # Every comparison becomes a guard of an exported program: comparing other
    # sizes, or quotients instead of products, would exclude N = V or N = 1.
    if graph.dim() == 3:
        rows = graph.size(0) * num_joints
        if tuple(graph.shape[1:]) == shared and x.size(0) == rows:
            return
    if x.size(0) % num_joints != 0:
        raise ValueError(
            f"'x' has {x.size(0)} rows (shape {list(x.shape)}), which is not "
            f"a multiple of the {num_joints} joints of a graph" + _hint(graph)
        )
    if graph.dim() != 2 or tuple(graph.shape) != shared:
        per_sample = [x.size(0) // num_joints, *shared]
        raise ValueError(
            f"Expected graphs of shape {list(shared)} or {per_sample} for 'x' "
            f"of shape {list(x.shape)}, got {list(graph.shape)}" + _hint(graph)
        )


def _hint(graph: Tensor) -> str:
    if graph.dim() == 2 and graph.size(0) == 2 != graph.size(1):
        return "; a layer takes edges as 'edge_index'"
    return ""


def _stack_runs(x: Tensor, graphs: Sequence[GraphLike]) -> list[Tensor]:
    single = next((g for g in graphs if isinstance(g, Tensor)), None)
    if single is not None and single.dim() != 3:
        raise ValueError(
            f"In a batch of unequal samples each graph is a sequence of one "
            f"matrix per sample, got a tensor of shape {list(single.shape)}"
        )
    sizes = [matrix.size(-1) for matrix in graphs[0]]
    if 0 in sizes:
        raise ValueError(f"A sample has no joints: sizes {sizes}")
    if sum(sizes) != x.size(0):
        raise ValueError(
            f"The matrices of a graph have {sum(sizes)} joints in total, but "
            f"'x' has {x.size(0)} rows (shape {list(x.shape)})"
        )
    for graph in graphs:
        shapes = [tuple(matrix.shape) for matrix in graph]
        if shapes != [(size, size) for size in sizes]:
            raise ValueError(
                f"Expected one matrix [V, V] per sample, of {sizes} joints, "
                f"in each graph, got shapes {shapes}"
            )
    samples = zip(*graphs, strict=True)
    runs = groupby(samples, key=lambda matrices: matrices[0].size(-1))
    return [
        torch.stack([torch.stack(matrices) for matrices in run])
        for _, run in runs
    ]

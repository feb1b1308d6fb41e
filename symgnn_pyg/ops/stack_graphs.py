from collections.abc import Sequence

import torch
from torch import Tensor

from symgnn_pyg.typing import GraphLike


def stack_graphs(
    x: Tensor, graphs: Tensor | Sequence[GraphLike], weight: Tensor
) -> tuple[Tensor, tuple[int, ...]]:
    r"""What kernels take: the graphs of a batch in one tensor, and the number
    of joints of each sample.

    Args:
        x: Node features, of shape :math:`[\sum_n V_n, *]`.
        graphs: The graphs, as :func:`~symgnn_pyg.ops.graph_mix` takes them.
        weight: The weights, of shape :math:`[K, C_{in}, C_{out}]`.

    Returns:
        The graphs of shape :math:`[N, K, V, V]` and :math:`(V)` for samples
        of one size; else flat, sample after sample, and
        :math:`(V_1, \ldots, V_N)`.

    Raises:
        ValueError: If the shapes do not fit; the message names them.
    """
    num_graphs = weight.size(0)
    if num_graphs == 0:
        raise ValueError(
            f"Expected 'weight' [K, C_in, C_out] of at least one graph, got "
            f"shape {list(weight.shape)}"
        )
    if isinstance(graphs, Tensor):
        if graphs.dim() != 4 or graphs.size(1) != num_graphs:
            raise ValueError(
                f"Expected all 'graphs' in a tensor [N, {num_graphs}, V, V], "
                f"one for each weight, got {list(graphs.shape)}"
            )
        for graph in graphs.unbind(dim=1):
            _check(graph, x, graph.size(-1))
        return graphs, (graphs.size(-1),)
    if len(graphs) != num_graphs:
        raise ValueError(
            f"Expected one weight [C_in, C_out] for each of the "
            f"{len(graphs)} graphs, got 'weight' of shape "
            f"{list(weight.shape)}"
        )
    matrices = [graph for graph in graphs if isinstance(graph, Tensor)]
    if len(matrices) < num_graphs:
        return _concatenate(x, graphs)
    num_joints = matrices[0].size(-1)
    for graph in matrices:
        _check(graph, x, num_joints)
    shape = (x.size(0) // num_joints, num_joints, num_joints)
    stack = torch.stack([graph.expand(shape) for graph in matrices], dim=1)
    return stack, (num_joints,)


def _check(graph: Tensor, x: Tensor, num_joints: int) -> None:
    if num_joints == 0:
        raise ValueError(f"A graph of shape {list(graph.shape)} has no joints")
    if x.size(0) % num_joints != 0:
        raise ValueError(
            f"'x' has {x.size(0)} rows (shape {list(x.shape)}), which is no "
            f"multiple of the {num_joints} joints of a graph"
        )
    shared = (num_joints, num_joints)
    per_sample = (x.size(0) // num_joints, *shared)
    # Tuples are compared number by number before length: asking for both would
    # bind an exported program to N != V.
    if tuple(graph.shape) != (shared if graph.dim() == 2 else per_sample):
        raise ValueError(
            f"Expected graphs of shape {list(shared)} or {list(per_sample)} "
            f"for 'x' of shape {list(x.shape)}, got {list(graph.shape)}"
        )


def _concatenate(
    x: Tensor, graphs: Sequence[GraphLike]
) -> tuple[Tensor, tuple[int, ...]]:
    single = next((g for g in graphs if isinstance(g, Tensor)), None)
    if single is not None and single.dim() != 3:
        raise ValueError(
            f"In a batch of unequal samples each graph is a sequence of one "
            f"matrix a sample, got a tensor of shape {list(single.shape)}"
        )
    sizes = tuple(matrix.size(-1) for matrix in graphs[0])
    if 0 in sizes:
        raise ValueError(f"A sample has no joints: sizes {list(sizes)}")
    if sum(sizes) != x.size(0):
        raise ValueError(
            f"The matrices of a graph have {sum(sizes)} joints in all, but "
            f"'x' has {x.size(0)} rows (shape {list(x.shape)})"
        )
    for graph in graphs:
        shapes = [tuple(matrix.shape) for matrix in graph]
        if shapes != [(size, size) for size in sizes]:
            raise ValueError(
                f"Expected one matrix [V, V] a sample, of {list(sizes)} "
                f"joints, in each graph, got shapes {shapes}"
            )
    by_sample = zip(*graphs, strict=True)
    each = [matrix.flatten() for sample in by_sample for matrix in sample]
    flat = torch.cat(each) if each else x.new_empty(0)
    return flat, sizes

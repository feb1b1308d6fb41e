"""The sums of :func:`symgnn_pyg.ops.edge_mix` and their gradients, along
edges that are sorted by the node that each row is summed to.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag
from torch_geometric.index import index2ptr
from torch_geometric.utils import index_sort, segment

# What a thread computes at a time on a CPU. Less would stay in nearer caches,
# but threads wait for each other at the end of each run.
RUN_BYTES = 2**22


class _Run(NamedTuple):
    r"""Consecutive nodes and their edges, sorted by these nodes."""

    nodes: slice
    edge: Tensor  # [E'], which edges of the list these are
    neighbor: Tensor  # [E'], their other ends
    ptr: Tensor  # [B + 1], where the edges of each node begin and end

    def weights(self, edge_weight: Tensor | None) -> Sequence[Tensor | None]:
        r"""The weights of these edges, graph by graph."""
        if edge_weight is None:
            return [None]
        return edge_weight.detach()[self.edge].t().contiguous().unbind()


def _runs(node: Tensor, neighbor: Tensor, like: Tensor) -> list[_Run]:
    r"""Sorts edges by one of their ends and, on a CPU, cuts them into runs of
    nodes whose rows, which are :obj:`like` these, fit the cache.
    """
    num_nodes = size = like.size(0)
    node, edge = index_sort(node, num_nodes)
    neighbor, ptr = neighbor[edge], index2ptr(node, num_nodes)
    if like.device.type == "cpu":
        size = max(1, torch.get_num_threads() * RUN_BYTES // like[0].nbytes)
    if size >= num_nodes:
        return [_Run(slice(None), edge, neighbor, ptr)]
    runs = []
    for first in range(0, num_nodes, size):
        part = ptr[first : first + size + 1]
        begin, end = int(part[0]), int(part[-1])
        runs.append(
            _Run(
                slice(first, first + size),
                edge[begin:end],
                neighbor[begin:end],
                part - begin,
            )
        )
    return runs


# For each node of a run, the weighted sum of the rows of its neighbours, which
# are given as [M, *, C].
SumRows = Callable[[Tensor, _Run, Tensor | None], Tensor]


def sum_bags(x: Tensor, run: _Run, weights: Tensor | None) -> Tensor:
    r"""Sums rows as they are read, and holds no messages."""
    out = embedding_bag(
        run.neighbor,
        x.flatten(1),
        run.ptr,
        mode="sum",
        per_sample_weights=weights,
        include_last_offset=True,
    )
    return out.view(-1, *x.shape[1:])


def sum_segments(x: Tensor, run: _Run, weights: Tensor | None) -> Tensor:
    r"""Sums messages by :func:`torch_scatter.segment_csr` if it is installed,
    else by torch's own operator.
    """
    message = x.flatten(1).index_select(0, run.neighbor)
    if weights is not None:
        message = weights.unsqueeze(-1) * message
    return segment(message, run.ptr).view(-1, *x.shape[1:])


SUM_ROWS: dict[str, SumRows] = {"cpu": sum_bags, "cuda": sum_segments}


def values(
    sum_rows: SumRows,
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> Tensor:
    r"""The values of :func:`edge_mix`."""
    source, target = edge_index
    in_channels, out_channels = weight.shape[1:]
    x = x.contiguous()
    out = x.new_empty(*x.shape[:-1], out_channels)
    runs = _runs(target, source, out)
    # Whatever is narrower is summed, features or their products.
    if in_channels <= out_channels:
        for run in runs:
            rows = out[run.nodes].view(-1, out_channels)
            for k, e in enumerate(run.weights(edge_weight)):
                mixed = sum_rows(x, run, e).view(-1, in_channels)
                _add_product(rows, mixed, weight[k], first=k == 0)
    else:
        out.zero_()
        weights = [run.weights(edge_weight) for run in runs]
        for k, w in enumerate(weight):
            product = x @ w
            for run, each in zip(runs, weights, strict=True):
                out[run.nodes] += sum_rows(product, run, each[k])
    return out


def gradients(
    sum_rows: SumRows,
    needs: Sequence[bool],
    grad: Tensor,
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    weight: Tensor,
) -> list[Tensor | None]:
    r"""The gradients of :func:`values` to the four inputs that need one.

    With :math:`\mathbf{S}_k`, the sums of the rows of the gradient
    :math:`\mathbf{G}` along reversed edges, they are
    :math:`\sum_k \mathbf{S}_k \mathbf{W}_k^{\top}` and
    :math:`\mathbf{X}^{\top} \mathbf{S}_k`. Those to the weights of the edges
    autograd finds, by differentiating :math:`\mathbf{S}_k` along
    :math:`\mathbf{X} \mathbf{W}_k`. Nothing is scattered.
    """
    need_x, _, need_edge_weight, need_weight = needs
    source, target = edge_index
    in_channels, out_channels = weight.shape[1:]
    grad, x = grad.detach().contiguous(), x.contiguous()
    of_x = x.new_empty(x.shape if need_x else (0, in_channels))
    of_edge_weight = x.new_empty(edge_index.size(1), weight.size(0))
    # Runs are added up in float32 at least.
    wide = torch.promote_types(weight.dtype, torch.float)
    of_weight = torch.zeros_like(weight, dtype=wide)
    for run in _runs(source, target, grad):
        rows = x[run.nodes].view(-1, in_channels)
        of_rows = of_x[run.nodes].view(-1, in_channels)
        slopes: list[Tensor] = []
        for k, e in enumerate(run.weights(edge_weight)):
            if e is not None and need_edge_weight:
                with torch.enable_grad():
                    summed = sum_rows(grad, run, e.requires_grad_())
                towards = (rows @ weight[k]).view_as(summed)
                slopes += torch.autograd.grad(summed, e, towards)
            else:
                summed = sum_rows(grad, run, e)
            summed = summed.detach().view(-1, out_channels)
            if need_x:
                _add_product(of_rows, summed, weight[k].t(), first=k == 0)
            if need_weight:
                of_weight[k] += rows.t() @ summed
        if need_edge_weight:
            of_edge_weight[run.edge] = torch.stack(slopes, dim=-1)
    found = (of_x, None, of_edge_weight, of_weight.to(weight.dtype))
    return [g if need else None for g, need in zip(found, needs, strict=True)]


def _add_product(to: Tensor, a: Tensor, b: Tensor, first: bool) -> None:
    # Profilers do not count the operations of `addmm_`.
    torch.addmm(to, a, b, beta=0 if first else 1, out=to)

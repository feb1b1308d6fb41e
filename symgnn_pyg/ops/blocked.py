from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symgnn_pyg.ops.opaque import Gradients, empty_gradients, opaque
from symgnn_pyg.ops.sample_groups import sample_groups, samples_at_once


class _Block(NamedTuple):
    rows: slice  # of the features
    entries: slice  # of the graphs
    graphs: Tensor  # [B, K*V, V]
    samples: Tensor  # [B, V, P*C]
    mixed: Tensor  # [B, K*V, P*C], scratch
    hops: Tensor  # [B, K, V*P, C], the same memory


def _blocks(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Iterator[_Block]:
    (num_rows, frames, width), num_graphs = x.shape, weight.size(0)
    per_joint = num_graphs * frames * width

    def most(v: int) -> int:
        return samples_at_once(v * per_joint)

    groups = list(sample_groups(num_rows, num_graphs, sizes, most))
    joints = max(group.num_samples * group.num_joints for group in groups)
    scratch = x.new_empty(joints * per_joint)
    for count, v, rows, entries in groups:
        mixed = scratch[: count * v * per_joint]
        yield _Block(
            rows,
            entries,
            graphs[entries].view(count, num_graphs * v, v),
            x[rows].view(count, v, frames * width),
            mixed.view(count, num_graphs * v, frames * width),
            mixed.view(count, num_graphs, v * frames, width),
        )


def _forward(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    out = x.new_empty(*x.shape[:2], weight.size(2))
    for block in _blocks(x.contiguous(), graphs, weight, sizes):
        torch.bmm(block.graphs, block.samples, out=block.mixed)
        count, _, rows, _ = block.hops.shape
        y = out[block.rows].view(count, rows, weight.size(2))
        for k, w in enumerate(weight):
            w = w.expand(count, -1, -1)
            y.baddbmm_(block.hops[:, k], w, beta=float(k > 0))
    return out


def _backward(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    needs: Sequence[bool],
) -> Gradients:
    grad = grad.contiguous()
    grad_x, grad_graphs, grad_weight = empty_gradients(x, graphs, weight, needs)
    # Each sample of a block sums for itself, so that no core waits. Numbers of
    # half precision would be lost in long sums.
    wide = torch.promote_types(weight.dtype, torch.float)
    shape = 2 * torch.get_num_threads(), *weight.shape
    sums = weight.new_zeros(shape, dtype=wide)
    for block in _blocks(x.contiguous(), graphs, weight, sizes):
        count, _, rows, _ = block.hops.shape
        g = grad[block.rows].view(count, rows, weight.size(2))
        if needs[2]:
            torch.bmm(block.graphs, block.samples, out=block.mixed)
            for k in range(weight.size(0)):
                hops, total = block.hops[:, k].mT, sums[:count, k]
                if wide == g.dtype:
                    total.baddbmm_(hops, g)
                else:
                    total += torch.bmm(hops, g)
        if needs[0] or needs[1]:
            for k, w in enumerate(weight):
                w = w.t().expand(count, -1, -1)
                torch.bmm(g, w, out=block.hops[:, k])
        if needs[0]:
            y = grad_x[block.rows].view_as(block.samples)
            torch.bmm(block.graphs.mT, block.mixed, out=y)
        if needs[1]:
            # Transposed twice this product is faster than as it stands.
            pairs = torch.bmm(block.samples, block.mixed.mT).mT
            grad_graphs[block.entries].view_as(block.graphs).copy_(pairs)
    if needs[2]:
        grad_weight.copy_(sums.sum(dim=0))
    return grad_x, grad_graphs, grad_weight


_mix = opaque("blocked", _forward, _backward)


def graph_mix_blocked(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    r"""Walks the samples, of equal sizes or not, a few at a time: all graphs
    of a sample in one product into a scratch that is used again, then one
    accumulating product for each :math:`\mathbf{W}_k`. Only the inputs are
    kept for the backward pass, which mixes again.
    """
    return _mix(x, graphs, weight, sizes)

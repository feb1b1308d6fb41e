from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from symgnn_pyg.ops.opaque import Gradients, empty_gradients, opaque
from symgnn_pyg.ops.product import product

# So many rows are worth a product of one core; several cores wait for each
# other at each product, and want longer ones.
ROWS = 1500


class _Block(NamedTuple):
    rows: slice  # of the features
    entries: slice  # of the graphs
    graphs: Tensor  # [B, K, V, V]
    samples: Tensor  # [B, V, P*C]


def _blocks(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Iterator[_Block]:
    (num_rows, frames, _), num_graphs = x.shape, weight.size(0)
    if len(sizes) == 1:
        sizes = list(sizes) * (num_rows // sizes[0])
    row = entry = 0
    for v, run in groupby(sizes):
        left = len(list(run))
        threads = torch.get_num_threads()
        wanted = ROWS if threads == 1 else 2 * threads * ROWS
        most = max(1, round(wanted / max(1, v * frames)))
        while left:
            count = min(most, left)
            rows = slice(row, row + count * v)
            entries = slice(entry, entry + count * num_graphs * v * v)
            yield _Block(
                rows,
                entries,
                graphs[entries].view(count, num_graphs, v, v),
                x[rows].view(count, v, frames * x.size(2)),
            )
            row, entry, left = rows.stop, entries.stop, left - count


def _mixed(block: _Block, width: int) -> Iterator[Tensor]:
    r"""The features mixed by each graph, of shape :math:`[B V P, C]`. They
    stand until the next."""
    graphs, samples = block.graphs, block.samples
    if len(samples) == 1:
        stacked = product(graphs[0].flatten(0, 1), samples[0])
        yield from stacked.view(graphs.size(1), -1, width)
        return
    scratch = torch.empty_like(samples)
    for k in range(graphs.size(1)):
        torch.bmm(graphs[:, k], samples, out=scratch)
        yield scratch.view(-1, width)


def _forward(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    x = x.contiguous()
    out = x.new_empty(*x.shape[:2], weight.size(2))
    if not out.numel() or not x.numel():
        return out.zero_()
    for block in _blocks(x, graphs, weight, sizes):
        y = None
        for hop, w in zip(_mixed(block, x.size(2)), weight, strict=True):
            y = product(hop, w, y)
        assert y is not None
        rows = out[block.rows]
        rows.copy_(y.view_as(rows))
    return out


def _backward(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    needs: Sequence[bool],
) -> Gradients:
    grad, x = grad.contiguous(), x.contiguous()
    grads = empty_gradients(x, graphs, weight, needs)
    # Transposed: the shorter side of these products is the left one. Numbers
    # of half precision would be lost in long sums.
    num_graphs, width, out_width = weight.shape
    wide = torch.promote_types(weight.dtype, torch.float)
    sums = weight.new_zeros(num_graphs, out_width, width, dtype=wide)
    if not grad.numel() or not x.numel():
        for g in grads:
            g.zero_()
        return *grads[:2], sums.mT.to(weight.dtype).contiguous()
    for block in _blocks(x, graphs, weight, sizes):
        g = grad[block.rows].flatten(0, 1)
        if needs[2]:
            hops = _mixed(block, x.size(2))
            for total, hop in zip(sums, hops, strict=True):
                total += product(g.t(), hop)
        if needs[0] or needs[1]:
            _unmix(block, g, weight, grads, needs)
    return *grads[:2], sums.mT.to(weight.dtype).contiguous()


def _unmix(
    block: _Block,
    g: Tensor,
    weight: Tensor,
    grads: Gradients,
    needs: Sequence[bool],
) -> None:
    graphs, samples = block.graphs, block.samples
    hops = samples.new_empty(graphs.size(1), *samples.shape)
    for hop, w in zip(hops, weight, strict=True):
        hop.copy_(product(g, w.t()).view_as(hop))
    if needs[0]:
        total = grads[0][block.rows].view_as(samples)
        if len(samples) == 1:
            stack = graphs[0].flatten(0, 1)
            total.copy_(product(stack.t(), hops.flatten(0, 2)).view_as(total))
        else:
            for k, hop in enumerate(hops):
                total.baddbmm_(graphs[:, k].mT, hop, beta=float(k > 0))
    if needs[1]:
        pairs = grads[1][block.entries].view_as(graphs)
        if len(samples) == 1:
            found = product(hops.flatten(0, 2), samples[0].t())
            pairs.copy_(found.view_as(pairs))
        else:
            for k, hop in enumerate(hops):
                # Transposed twice this is faster than as it stands.
                pairs[:, k] = torch.bmm(samples, hop.mT).mT


_mix = opaque("onednn", _forward, _backward)


def graph_mix_onednn(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    r"""As the blocked kernel, with blocks and an order of operations that let
    nearly all of the work be products of
    :func:`~symgnn_pyg.ops.product.product`: on some processors they take half
    the time of those of torch's BLAS.
    """
    return _mix(x, graphs, weight, sizes)

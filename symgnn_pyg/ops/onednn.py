from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from symgnn_pyg.ops.opaque import Gradients, empty_gradients, opaque
from symgnn_pyg.ops.product import onednn_is_faster, product

# So many rows keep a core busy, and their K copies near it.
ROWS = 2500


class _Piece(NamedTuple):
    rows: slice  # of the features
    frames: slice  # of the features
    entries: slice  # of the graphs
    graphs: Tensor  # [K*V, V]
    samples: Tensor  # [V, P*C]


def _pieces(
    x: Tensor, graphs: Tensor, num_graphs: int, sizes: Sequence[int]
) -> Iterator[_Piece]:
    r"""Sample after sample, long ones in runs of frames."""
    num_rows, num_frames, _ = x.shape
    if len(sizes) == 1:
        sizes = list(sizes) * (num_rows // sizes[0])
    row = entry = 0
    for v in sizes:
        rows = slice(row, row + v)
        entries = slice(entry, entry + num_graphs * v * v)
        count = max(1, round(v * num_frames / ROWS / torch.get_num_threads()))
        length = -(-num_frames // count)
        for at in range(0, num_frames, length):
            frames = slice(at, at + length)
            yield _Piece(
                rows,
                frames,
                entries,
                graphs[entries].view(num_graphs * v, v),
                x[rows, frames].contiguous().flatten(1),
            )
        row, entry = rows.stop, entries.stop


def _filters(weight: Tensor) -> Tensor:
    r"""The weights as those of a convolution over the graphs,
    :math:`[C_{out}, C_{in}, K, 1]`."""
    filters = weight.permute(2, 1, 0).unsqueeze(3)
    return filters.contiguous(memory_format=torch.channels_last)


def _convolution(weight: Tensor) -> Callable[[Tensor], Tensor]:
    filters = _filters(weight)
    if not onednn_is_faster(weight):
        return partial(torch.conv2d, weight=filters)
    # Else they would be brought into this order for each sample.
    ordered = torch.ops.mkldnn._reorder_convolution_weight(filters)
    convolve = torch.ops.mkldnn._convolution_pointwise
    return lambda image: convolve(
        image, ordered, None, [0, 0], [1, 1], [1, 1], 1, "none", [], ""
    )


def _image(rows: Tensor, height: int) -> Tensor:
    r"""Views so many stacked matrices :math:`[V P, C]` as the rows of a
    channels-last image :math:`[1, C, K, V P]`."""
    return rows.view(1, height, -1, rows.size(-1)).permute(0, 3, 1, 2)


def _forward(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    x = x.contiguous()
    num_graphs, width, out_width = weight.shape
    out = x.new_empty(*x.shape[:2], out_width)
    convolve = _convolution(weight)
    for piece in _pieces(x, graphs, num_graphs, sizes):
        mixed = product(piece.graphs, piece.samples).view(-1, width)
        y = convolve(_image(mixed, num_graphs))
        here = out[piece.rows, piece.frames]
        here.copy_(y.permute(0, 2, 3, 1).view_as(here))
        # Before the next ones, which then lie where these did, in the cache.
        del mixed, y
    return out


def _backward(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    needs: Sequence[bool],
) -> Gradients:
    x = x.contiguous()
    num_graphs, width, out_width = weight.shape
    grad_x, grad_graphs, grad_weight = empty_gradients(x, graphs, weight, needs)
    grad_graphs.zero_()
    # Numbers of half precision would be lost in long sums.
    wide = torch.promote_types(weight.dtype, torch.float)
    sums = weight.new_zeros(out_width, num_graphs * width, dtype=wide)
    filters = _filters(weight)
    for piece in _pieces(x, graphs, num_graphs, sizes):
        g = grad[piece.rows, piece.frames].reshape(-1, out_width)
        if needs[2]:
            mixed = product(piece.graphs, piece.samples)
            # A copy with the hops side by side, for one product of them all.
            mixed = mixed.view(num_graphs, -1, width).transpose(0, 1).flatten(1)
            sums += product(g.t(), mixed)
            del mixed
        if needs[0] or needs[1]:
            hops = torch.conv_transpose2d(_image(g, 1), filters)
            hops = hops.permute(0, 2, 3, 1).reshape(piece.graphs.size(0), -1)
            if needs[0]:
                here = grad_x[piece.rows, piece.frames]
                here.copy_(product(piece.graphs.t(), hops).view_as(here))
            if needs[1]:
                pairs = product(hops, piece.samples.t())
                grad_graphs[piece.entries] += pairs.flatten()
            del hops
    if needs[2]:
        total = sums.view(out_width, num_graphs, width)
        grad_weight.copy_(total.permute(1, 2, 0))
    return grad_x, grad_graphs, grad_weight


_mix = opaque("onednn", _forward, _backward)


def graph_mix_onednn(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    r"""As the blocked kernel, sample by sample, with all of its work in
    products of :func:`~symgnn_pyg.ops.product.product` and in convolutions:
    the features that the :math:`K` graphs have mixed are the :math:`K` rows of
    an image, and one convolution multiplies them by their weights and sums
    them up. On some processors both take half the time of torch's BLAS.
    """
    return _mix(x, graphs, weight, sizes)

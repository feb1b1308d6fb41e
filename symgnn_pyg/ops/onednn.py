from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.grad import conv2d_weight

from symgnn_pyg.ops.opaque import Gradients, empty_gradients, opaque
from symgnn_pyg.ops.product import onednn_is_faster, product
from symgnn_pyg.ops.sample_groups import sample_groups, samples_at_once

# So many rows keep a core busy, and their K copies near it.
ROWS = 2500
# A product whose result is the gradient of fewer weights leaves all cores but
# one idle.
LARGE = 2**14


class _Piece(NamedTuple):
    rows: slice  # of the features
    frames: slice  # of the features
    entries: slice  # of the graphs
    graphs: Tensor  # [B, K*V, V]
    samples: Tensor  # [B, V, P*C]


def _pieces(
    x: Tensor, graphs: Tensor, num_graphs: int, sizes: Sequence[int]
) -> Iterator[_Piece]:
    r"""Sample after sample, long ones in runs of frames; where there are
    several cores, short ones side by side."""
    num_rows, num_frames, width = x.shape
    threads = torch.get_num_threads()

    def most(v: int) -> int:
        is_short = round(ROWS / (v * num_frames)) > 1
        if threads == 1 or not is_short:
            return 1
        return samples_at_once(num_graphs * v * num_frames * width)

    groups = sample_groups(num_rows, num_graphs, sizes, most)
    for count, v, rows, entries in groups:
        runs = max(1, round(v * num_frames / ROWS / threads))
        length = -(-num_frames // runs)
        for at in range(0, num_frames, length):
            frames = slice(at, at + length)
            yield _Piece(
                rows,
                frames,
                entries,
                graphs[entries].view(count, num_graphs * v, v),
                x[rows, frames].contiguous().view(count, v, -1),
            )


def _mixed(piece: _Piece) -> Tensor:
    if len(piece.graphs) == 1:
        return product(piece.graphs[0], piece.samples[0])
    # Slower by itself, but side by side as the convolution takes them.
    return torch.bmm(piece.graphs, piece.samples)


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


def _images(rows: Tensor, count: int, height: int) -> Tensor:
    r"""Views so many times so many matrices :math:`[V P, C]` as channels-last
    images :math:`[B, C, K, V P]`."""
    return rows.view(count, height, -1, rows.size(-1)).permute(0, 3, 1, 2)


def _forward(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    x = x.contiguous()
    num_graphs, width, out_width = weight.shape
    out = x.new_empty(*x.shape[:2], out_width)
    convolve = _convolution(weight)
    for piece in _pieces(x, graphs, num_graphs, sizes):
        count = len(piece.graphs)
        mixed = _mixed(piece).view(-1, width)
        y = convolve(_images(mixed, count, num_graphs))
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
    sums = weight.new_zeros(out_width, num_graphs, width, dtype=wide)
    filters = _filters(weight)
    for piece in _pieces(x, graphs, num_graphs, sizes):
        count = len(piece.graphs)
        g = grad[piece.rows, piece.frames].reshape(-1, out_width)
        if needs[2]:
            sums += _grad_filters(g, piece, filters)
        if needs[0] or needs[1]:
            hops = torch.conv_transpose2d(_images(g, count, 1), filters)
            hops = hops.permute(0, 2, 3, 1).reshape(*piece.graphs.shape[:2], -1)
            if needs[0]:
                here = grad_x[piece.rows, piece.frames]
                for i, y in enumerate(here.chunk(count)):
                    y.copy_(product(piece.graphs[i].t(), hops[i]).view_as(y))
            if needs[1]:
                here = grad_graphs[piece.entries].view_as(piece.graphs)
                for i, y in enumerate(here.unbind()):
                    y += product(hops[i], piece.samples[i].t())
            del hops
    if needs[2]:
        grad_weight.copy_(sums.permute(1, 2, 0))
    return grad_x, grad_graphs, grad_weight


def _grad_filters(grad: Tensor, piece: _Piece, filters: Tensor) -> Tensor:
    r"""The gradient of the weights, :math:`[C_{out}, K, C_{in}]`."""
    count, (_, width, num_graphs, _) = len(piece.graphs), filters.shape
    if count > 1 and filters.numel() < LARGE and onednn_is_faster(grad):
        mixed = _images(_mixed(piece).view(-1, width), count, num_graphs)
        total = conv2d_weight(mixed, filters.shape, _images(grad, count, 1))
        return total.squeeze(3).mT
    # A copy with the hops side by side, for one product of them all.
    hops = grad.new_empty(grad.size(0), num_graphs, width)
    for i, y in enumerate(hops.chunk(count)):
        mixed = product(piece.graphs[i], piece.samples[i])
        y.copy_(mixed.view(num_graphs, -1, width).transpose(0, 1))
        del mixed
    return product(grad.t(), hops.flatten(1)).view(-1, num_graphs, width)


_mix = opaque("onednn", _forward, _backward)


def graph_mix_onednn(
    x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
) -> Tensor:
    r"""As the blocked kernel, with most of its work in products of
    :func:`~symgnn_pyg.ops.product.product` and in convolutions: the features
    that the :math:`K` graphs have mixed are the :math:`K` rows of an image, and
    one convolution multiplies them by their weights and sums them up. On some
    processors both take half the time of torch's BLAS. With several cores,
    short samples share a convolution, an image for each.
    """
    return _mix(x, graphs, weight, sizes)

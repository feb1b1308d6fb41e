from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from symgnn_pyg.ops import pairs


def activated_mean(y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    r"""The mean over the partners :math:`j` of what batch normalisation and
    activation make of the pairs,

    .. math::
        \mathbf{z}_i = \frac{1}{P} \sum_j \textrm{ReLU}(
        \mathbf{s} \odot \mathbf{y}_{i,j} + \mathbf{t})

    On a CPU no further tensor of the size of :obj:`y` is made but its
    gradient.

    Args:
        y: The pairs, of shape :math:`[N, V, P, D]`.
        scale: :math:`\mathbf{s}`, of shape :math:`[D]`.
        shift: :math:`\mathbf{t}`, of shape :math:`[D]`.

    Returns:
        A tensor of shape :math:`[N, V, D]`; zeros if :math:`P = 0`.
    """
    if pairs.plain(y, scale):
        return _activated_mean_plain(y, scale, shift).to(y.dtype)
    out: Tensor = _ActivatedMean.apply(y, scale, shift)
    return out


def _activated_mean_plain(y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return (y * scale + shift).relu().sum(dim=2) / max(1, y.size(2))


class _ActivatedMean(Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        active, total = _forward(y, scale, shift)
        ctx.save_for_backward(y, scale, shift, active, total)
        return torch.addcmul(shift * active, scale, total)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        *inputs, active, total = ctx.saved_tensors
        if torch.is_grad_enabled():
            # An input may depend on another: views keep them apart.
            y, scale, shift = inputs = [t.view_as(t) for t in inputs]
            out = _activated_mean_plain(y, scale, shift)
            return torch.autograd.grad(out, inputs, grad, create_graph=True)
        grad_scale = (grad * total).sum(dim=(0, 1))
        grad_shift = (grad * active).sum(dim=(0, 1))
        return _backward(grad, *inputs), grad_scale, grad_shift


@torch.library.custom_op("symgnn_pyg::activated_mean", mutates_args=())
def _forward(y: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    r"""The share of active partners, and their part of the mean of y."""
    active = y.new_empty(y.size(0), y.size(1), y.size(3))
    total = torch.empty_like(active)
    for here in _blocks(y):
        mask = torch.addcmul(shift, scale, y[here]).gt_(0)
        torch.sum(mask, dim=2, out=active[here])
        torch.sum(mask.mul_(y[here]), dim=2, out=total[here])
    count = max(1, y.size(2))
    return active.div_(count), total.div_(count)


@torch.library.custom_op("symgnn_pyg::activated_mean_backward", mutates_args=())
def _backward(grad: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    grad = grad * (scale / max(1, y.size(2)))
    grad_y = y.new_empty(y.shape)
    for here in _blocks(y):
        mask = torch.addcmul(shift, scale, y[here], out=grad_y[here]).gt_(0)
        mask.mul_(grad[here].unsqueeze(2))
    return grad_y


@_forward.register_fake
def _(y: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    active = y.new_empty(y.size(0), y.size(1), y.size(3))
    return active, torch.empty_like(active)


@_backward.register_fake
def _(grad: Tensor, y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return y.new_empty(y.shape)


def _blocks(y: Tensor) -> Iterator[slice]:
    size = max(1, pairs.SCRATCH // max(1, y[:1].numel()))
    for at in range(0, y.size(0), size):
        yield slice(at, min(at + size, y.size(0)))

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function
from torch.nn import functional

from symgnn_pyg.ops.plain_gradients import (
    needs_plain_gradients,
    plain_gradients,
)

# So many numbers stay in a core's cache.
CACHED = 2**16


def batch_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Mean and biased variance of each channel, without gradients.

    Args:
        x: Features, of shape :math:`[*, C]`.
    """
    features = x.detach().flatten(0, -2)
    mean = features.mean(dim=0)
    # Several times faster than `torch.var_mean` over rows.
    squares = torch.zeros_like(mean)
    for rows in _runs(x):
        squares += (features[rows] - mean).square_().sum(dim=0)
    return mean, squares / features.size(0)


def batch_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    eps: float,
) -> Tensor:
    r"""Batch normalisation in training, over the last dimension:

    .. math::
        \mathbf{Y} = \frac{\mathbf{X} - \mu}{\sqrt{\sigma^2 + \epsilon}}
        \odot \mathbf{w} + \mathbf{b}

    with gradients through :math:`\mu` and :math:`\sigma^2`. Its backward pass
    needs no room but for its result, where torch's needs twice that.

    Args:
        x: Features, of shape :math:`[*, C]`.
        weight: The scales :math:`\mathbf{w}`, of shape :math:`[C]`.
        bias: The shifts :math:`\mathbf{b}`, of shape :math:`[C]`.
        mean: The means :math:`\mu` of :obj:`x`, of shape :math:`[C]`.
        var: The biased variances :math:`\sigma^2` of :obj:`x`, of shape
            :math:`[C]`.
        eps: The constant :math:`\epsilon`.
    """
    out: Tensor = _BatchNorm.apply(x, weight, bias, mean, var, eps)
    return out


class _BatchNorm(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        var: Tensor,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias, mean, var)
        ctx.eps = eps
        return normalised(x, weight, bias, mean, var, eps)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, mean, var = ctx.saved_tensors
        if needs_plain_gradients(grad):
            norm = partial(recorded, eps=ctx.eps)
            inputs = (x, weight, bias)
            return *plain_gradients(norm, inputs, grad), None, None, None
        grad, out = grad.contiguous(), x.new_empty(x.shape)
        sums = [torch.zeros_like(mean), torch.zeros_like(mean)]
        for rows in _runs(x):
            add_sums(
                sums, grad.flatten(0, -2)[rows], x.flatten(0, -2)[rows], mean
            )
        grads = norm_gradients(grad, x, weight, mean, var, ctx.eps, sums, out)
        return *grads, None, None, None


def normalised(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    eps: float,
) -> Tensor:
    r"""The formula of :func:`batch_norm`, one product and one sum a number."""
    scale = weight * torch.rsqrt(var + eps)
    return torch.addcmul(bias - mean * scale, x, scale)


def add_sums(sums: list[Tensor], grad: Tensor, x: Tensor, mean: Tensor) -> None:
    r"""Adds the sums over rows :math:`[R, C]` that
    :func:`norm_gradients` needs: those of the gradients, and those of their
    products with the centred features."""
    sums[0] += grad.sum(dim=0)
    sums[1] += (x - mean).mul_(grad).sum(dim=0)


def norm_gradients(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    mean: Tensor,
    var: Tensor,
    eps: float,
    sums: list[Tensor],
    out: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""The gradients of features, scales and shifts.

    Args:
        grad: The gradient of the result, of shape :math:`[*, C]`.
        x: The features, of shape :math:`[*, C]`.
        weight: The scales.
        mean: The means.
        var: The biased variances.
        eps: The constant.
        sums: What :func:`add_sums` summed up over all rows.
        out: Takes the gradient of the features; may be :obj:`grad` itself.
    """
    inverse = torch.rsqrt(var + eps)
    num_rows = x.numel() // x.size(-1)
    scale = weight * inverse
    slope = -scale * sums[1] * inverse.square() / num_rows
    shift = -scale * sums[0] / num_rows - mean * slope
    grads, features, result = (t.flatten(0, -2) for t in (grad, x, out))
    for rows in _runs(x):
        statistics = torch.addcmul(shift, features[rows], slope)
        torch.addcmul(statistics, grads[rows], scale, out=result[rows])
    return out, sums[1] * inverse, sums[0]


def recorded(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    r"""As :func:`batch_norm`, by operators that have second gradients."""
    rows = x.flatten(0, -2)
    out = functional.batch_norm(
        rows, None, None, weight, bias, training=True, eps=eps
    )
    return out.view_as(x)


def _runs(x: Tensor) -> Iterator[slice]:
    num_rows, step = x.numel() // x.size(-1), max(1, CACHED // x.size(-1))
    for start in range(0, num_rows, step):
        yield slice(start, start + step)

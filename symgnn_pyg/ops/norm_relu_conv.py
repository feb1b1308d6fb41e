from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from symgnn_pyg.ops.batch_norm import (
    add_sums,
    norm_gradients,
    normalised,
    recorded,
)
from symgnn_pyg.ops.plain_gradients import (
    needs_plain_gradients,
    plain_gradients,
)
from symgnn_pyg.ops.temporal_images import images, rows

# Normalised again for the backward pass are so many numbers at a time: few
# enough to take little memory, and enough for a convolution of its own.
PIECE = 3 * 2**17


def norm_relu_conv(
    x: Tensor,
    norm_weight: Tensor,
    norm_bias: Tensor,
    mean: Tensor,
    var: Tensor,
    eps: float,
    weight: Tensor,
    bias: Tensor | None,
    stride: int,
    padding: int,
) -> Tensor:
    r"""Batch normalisation in training, ReLU and a convolution along time:

    .. math::
        \mathbf{Y} = \textrm{TC}_{\tau,s}(\textrm{ReLU}(\textrm{BN}(
        \mathbf{X})))

    What enters the convolution is not kept: the backward pass normalises
    again, some nodes at a time.

    Args:
        x: Node features, of shape :math:`[M, T, C_{in}]`.
        norm_weight: The scales of the normalisation, of shape
            :math:`[C_{in}]`.
        norm_bias: Its shifts, of shape :math:`[C_{in}]`.
        mean: The means of :obj:`x`, of shape :math:`[C_{in}]`.
        var: The biased variances of :obj:`x`, of shape :math:`[C_{in}]`.
        eps: The constant that is added to them.
        weight: The filters, of shape :math:`[C_{out}, C_{in}, 1, \tau]`.
        bias: What the convolution adds, of shape :math:`[C_{out}]`.
        stride: The stride, in frames.
        padding: How many frames of zeros lie before and after.
    """
    terms = norm_weight, norm_bias, mean, var, eps
    out = _NormReluConv.apply(x, *terms, weight, bias, stride, padding)
    return rows(out)


class _NormReluConv(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        norm_weight: Tensor,
        norm_bias: Tensor,
        mean: Tensor,
        var: Tensor,
        eps: float,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: int,
    ) -> Tensor:
        ctx.save_for_backward(
            x, norm_weight, norm_bias, mean, var, weight, bias
        )
        ctx.eps, ctx.stride, ctx.padding = eps, stride, padding
        h = normalised(x, norm_weight, norm_bias, mean, var, eps).relu_()
        return _conv(h, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, norm_weight, norm_bias, mean, var, weight, bias = ctx.saved_tensors
        stride, padding = ctx.stride, ctx.padding
        if needs_plain_gradients(grad):

            def formula(
                x: Tensor,
                norm_weight: Tensor,
                norm_bias: Tensor,
                weight: Tensor,
                bias: Tensor | None,
            ) -> Tensor:
                h = recorded(x, norm_weight, norm_bias, ctx.eps).relu()
                return _conv(h, weight, bias, stride, padding)

            inputs = (x, norm_weight, norm_bias, weight, bias)
            grads = plain_gradients(formula, inputs, grad)
            return *grads[:3], None, None, None, *grads[3:], None, None
        terms = norm_weight, norm_bias, mean, var, ctx.eps
        grad, grad_h = rows(grad).contiguous(), x.new_empty(x.shape)
        grad_weight = torch.zeros_like(weight)
        grad_bias = weight.new_zeros(weight.size(0))
        sums = [torch.zeros_like(mean), torch.zeros_like(mean)]
        for nodes in _pieces(x):
            h = normalised(x[nodes], *terms).relu_()
            grads = torch.ops.aten.convolution_backward(
                images(grad[nodes]),
                images(h),
                weight,
                [weight.size(0)],
                (1, stride),
                (0, padding),
                (1, 1),
                False,
                (0, 0),
                1,
                (True, True, True),
            )
            here = grad_h[nodes]
            torch.ops.aten.threshold_backward.grad_input(
                rows(grads[0]), h, 0, grad_input=here
            )
            grad_weight += grads[1]
            grad_bias += grads[2]
            add_sums(sums, here.flatten(0, 1), x[nodes].flatten(0, 1), mean)
        norm_grads = norm_gradients(
            grad_h, x, norm_weight, mean, var, ctx.eps, sums, out=grad_h
        )
        return (
            *norm_grads,
            None,
            None,
            None,
            grad_weight,
            None if bias is None else grad_bias,
            None,
            None,
        )


def _conv(
    h: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int
) -> Tensor:
    return torch.conv2d(images(h), weight, bias, (1, stride), (0, padding))


def _pieces(x: Tensor) -> Iterator[slice]:
    # Whole images of 16 nodes.
    step = max(16, PIECE // (x.size(1) * x.size(2)) // 16 * 16)
    for start in range(0, x.size(0), step):
        yield slice(start, start + step)

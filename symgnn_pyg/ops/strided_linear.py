from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from symgnn_pyg.ops.plain_code import may_recompute
from symgnn_pyg.ops.plain_gradients import (
    needs_plain_gradients,
    plain_gradients,
)
from symgnn_pyg.ops.product import linear, product


def strided_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int
) -> Tensor:
    r"""A linear layer on every :math:`s`-th frame, which are gathered again
    for the backward pass instead of kept.

    Args:
        x: Node features, of shape :math:`[M, T, C_{in}]`.
        weight: The weights, of shape :math:`[C_{out}, C_{in}]`.
        bias: What is added, of shape :math:`[C_{out}]`.
        stride: The stride :math:`s`, in frames.
    """
    if stride == 1 or x.dtype != weight.dtype or not may_recompute(x):
        return linear(x[:, ::stride], weight, bias)
    out: Tensor = _StridedLinear.apply(x, weight, bias, stride)
    return out.view(x.size(0), -(-x.size(1) // stride), weight.size(0))


class _StridedLinear(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.stride = stride
        frames = x[:, ::stride].reshape(-1, x.size(2))
        return product(frames, weight.t(), bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias = ctx.saved_tensors
        if needs_plain_gradients(grad):

            def formula(
                x: Tensor, weight: Tensor, bias: Tensor | None
            ) -> Tensor:
                frames = x[:, :: ctx.stride].flatten(0, 1)
                return linear(frames, weight, bias)

            return *plain_gradients(formula, (x, weight, bias), grad), None
        needs, frames = ctx.needs_input_grad, x[:, :: ctx.stride]
        grad_x = grad_weight = None
        if needs[0]:
            grad_x = torch.zeros_like(x)
            grad_x[:, :: ctx.stride] = product(grad, weight).view_as(frames)
        if needs[1]:
            grad_weight = product(grad.t(), frames.reshape(-1, weight.size(1)))
        return grad_x, grad_weight, grad.sum(dim=0) if needs[2] else None, None

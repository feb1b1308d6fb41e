from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from symgnn_pyg.ops.batch_norm import second_order
from symgnn_pyg.ops.plain_code import may_recompute
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
    return out


class _StridedLinear(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.stride = stride
        return linear(x[:, ::stride], weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias = ctx.saved_tensors
        frames = x[:, :: ctx.stride]
        if torch.is_grad_enabled():
            out = linear(frames, weight, bias)
            return *second_order(out, (x, weight, bias), grad), None
        grad = grad.reshape(-1, weight.size(0))
        grad_x = torch.zeros_like(x)
        grad_x[:, :: ctx.stride] = product(grad, weight).view_as(frames)
        return (
            grad_x,
            product(grad.t(), frames.reshape(-1, weight.size(1))),
            None if bias is None else grad.sum(dim=0),
            None,
        )

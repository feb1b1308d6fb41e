from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from symgnn_pyg.ops.equal_sizes import Formula
from symgnn_pyg.ops.plain_code import may_recompute
from symgnn_pyg.ops.plain_gradients import (
    needs_plain_gradients,
    plain_gradients,
)

Found = tuple[Tensor | None, Tensor | None, Tensor | None]
Gradients = Callable[[Tensor, Tensor, Tensor, Tensor, Sequence[bool]], Found]


def keep_inputs(gradients: Gradients) -> Callable[[Formula], Formula]:
    r"""Makes a formula keep its inputs alone for the backward pass, where that
    may compute the rest again.

    Args:
        gradients: Computes the gradients of features, graphs and weights from
            that of the new features, the inputs, and which are needed: MGDA
            asks for those of features alone.
    """

    def decorate(formula: Formula) -> Formula:
        @wraps(formula)
        def decorated(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
            inputs = x, graphs, weight
            # Tensors of inference mode cannot be kept.
            if not may_recompute(x) or any(t.is_inference() for t in inputs):
                return formula(x, graphs, weight)
            out: Tensor = _KeepInputs.apply(
                formula, gradients, x, graphs, weight
            )
            return out

        return decorated

    return decorate


class _KeepInputs(Function):
    @staticmethod
    def forward(
        ctx: Any,
        formula: Formula,
        gradients: Gradients,
        x: Tensor,
        graphs: Tensor,
        weight: Tensor,
    ) -> Tensor:
        ctx.formula, ctx.gradients = formula, gradients
        ctx.save_for_backward(x, graphs, weight)
        # A view, which may not be changed in place, would be one of ours.
        return formula(x, graphs, weight).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        grads: tuple[Tensor | None, ...]
        if needs_plain_gradients(grad):
            grads = plain_gradients(ctx.formula, inputs, grad)
        else:
            needs = ctx.needs_input_grad[2:]
            with torch.autocast(grad.device.type, enabled=False):
                grads = ctx.gradients(grad, *inputs, needs)
        return None, None, *grads

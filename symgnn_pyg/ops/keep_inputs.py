from collections.abc import Callable
from functools import wraps
from typing import Any

from torch import Tensor
from torch.autograd.function import Function

from symgnn_pyg.ops.equal_sizes import Formula
from symgnn_pyg.ops.plain_code import may_recompute
from symgnn_pyg.ops.plain_gradients import (
    needs_plain_gradients,
    plain_gradients,
)

Gradients = Callable[
    [Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]
]


def keep_inputs(gradients: Gradients) -> Callable[[Formula], Formula]:
    r"""Makes a formula keep its inputs alone for the backward pass, where that
    may compute the rest again.

    Args:
        gradients: Computes the gradients of features, graphs and weights from
            that of the new features and the inputs.
    """

    def decorate(formula: Formula) -> Formula:
        @wraps(formula)
        def decorated(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
            if not may_recompute(x):
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
        return formula(x, graphs, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        if needs_plain_gradients(grad):
            grads = plain_gradients(ctx.formula, inputs, grad)
        else:
            grads = ctx.gradients(grad, *inputs)
        return None, None, *grads

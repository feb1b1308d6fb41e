from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function
from torch.nn.functional import linear

from symgnn_pyg.ops.pairs import (
    check,
    drop_diagonal,
    grids,
    num_partners,
    plain,
)


def pair_linear(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool = False
) -> Tensor:
    r"""A linear layer on the activated pairs of joints,

    .. math::
        \mathbf{y}_{i,j} = \mathbf{W} \,
        \textrm{ReLU}(\mathbf{a}_i + \mathbf{b}_j) + \mathbf{c},
        \quad j \neq i

    On a CPU the activated pairs of a few samples at a time lie in a scratch,
    in the backward pass once more; only the inputs are kept for it.

    Args:
        a: The terms of the targets :math:`i`, of shape :math:`[N, V, D]`.
        b: The terms of the sources :math:`j`, of shape :math:`[N, V, D]`.
        weight: :math:`\mathbf{W}`, of shape :math:`[D_{out}, D]`.
        bias: :math:`\mathbf{c}`, of shape :math:`[D_{out}]`.
        self_pairs: Whether :math:`j = i` is a pair. (default: :obj:`False`)

    Returns:
        A tensor of shape :math:`[N, V, V - 1, D_{out}]`, or
        :math:`[N, V, V, D_{out}]` with self pairs: the sources of each target
        in their order.

    Raises:
        ValueError: If :obj:`a` and :obj:`b` are not of one shape
            :math:`[N, V, D]`.
    """
    check(a, b)
    # Autocast acts on plain code.
    if plain(a) or torch.is_autocast_enabled(a.device.type):
        return _pair_linear_plain(a, b, weight, bias, self_pairs)
    out: Tensor = _PairLinear.apply(a, b, weight, bias, self_pairs)
    return out


def _pair_linear_plain(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool
) -> Tensor:
    rows = _rows((a.unsqueeze(2) + b.unsqueeze(1)).relu(), self_pairs)
    shape = _shape(a, weight, self_pairs)
    return linear(rows, weight, bias).view(shape)


class _PairLinear(Function):
    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        b: Tensor,
        weight: Tensor,
        bias: Tensor,
        self_pairs: bool,
    ) -> Tensor:
        ctx.save_for_backward(a, b, weight, bias)
        ctx.self_pairs = self_pairs
        return _forward(a, b, weight, bias, self_pairs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        # An input may depend on another: views keep their derivatives apart.
        a, b, weight, bias = (t.view_as(t) for t in ctx.saved_tensors)
        if torch.is_grad_enabled():
            out = _pair_linear_plain(a, b, weight, bias, ctx.self_pairs)
            inputs = (a, b, weight, bias)
            found = torch.autograd.grad(out, inputs, grad, create_graph=True)
            return *found, None
        found = _backward(grad.contiguous(), a, b, weight, ctx.self_pairs)
        return *found, grad.sum(dim=(0, 1, 2)), None


@torch.library.custom_op("symgnn_pyg::pair_linear", mutates_args=())
def _forward(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool
) -> Tensor:
    out = a.new_empty(_shape(a, weight, self_pairs))
    for here, grid in grids(a, b):
        rows = _rows(grid.relu_(), self_pairs)
        y = out[here].view(-1, weight.size(0))
        torch.addmm(bias, rows, weight.t(), out=y)
    return out


@torch.library.custom_op("symgnn_pyg::pair_linear_backward", mutates_args=())
def _backward(
    grad: Tensor, a: Tensor, b: Tensor, weight: Tensor, self_pairs: bool
) -> tuple[Tensor, Tensor, Tensor]:
    grad_a, grad_b = a.new_empty(a.shape), b.new_empty(b.shape)
    grad_weight = torch.zeros_like(weight)
    for here, grid in grids(a, b):
        rows = _rows(grid.relu_(), self_pairs)
        g = grad[here].view(-1, weight.size(0))
        grad_weight.addmm_(g.t(), rows)
        grad_rows = (g @ weight).mul_(rows.gt_(0))
        if self_pairs:
            grid = grad_rows.view_as(grid)
        else:
            grid.diagonal(dim1=1, dim2=2).zero_()
            others = drop_diagonal(grid)
            others.copy_(grad_rows.view_as(others))
        torch.sum(grid, dim=2, out=grad_a[here])
        torch.sum(grid, dim=1, out=grad_b[here])
    return grad_a, grad_b, grad_weight


@_forward.register_fake
def _(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool
) -> Tensor:
    return a.new_empty(_shape(a, weight, self_pairs))


@_backward.register_fake
def _(
    grad: Tensor, a: Tensor, b: Tensor, weight: Tensor, self_pairs: bool
) -> tuple[Tensor, Tensor, Tensor]:
    return a.new_empty(a.shape), b.new_empty(b.shape), torch.zeros_like(weight)


def _rows(grid: Tensor, self_pairs: bool) -> Tensor:
    pairs = grid if self_pairs else drop_diagonal(grid)
    return pairs.reshape(-1, grid.size(-1))


def _shape(a: Tensor, weight: Tensor, self_pairs: bool) -> tuple[int, ...]:
    n, v, _ = a.shape
    return n, v, num_partners(v, self_pairs), weight.size(0)

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
from symgnn_pyg.ops.product import product

Outputs = tuple[Tensor, Tensor, Tensor]


def pair_linear(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool = False
) -> Outputs:
    r"""A linear layer on the activated pairs of joints,

    .. math::
        \mathbf{y}_{i,j} = \mathbf{W} \,
        \textrm{ReLU}(\mathbf{a}_i + \mathbf{b}_j) + \mathbf{c},
        \quad j \neq i

    with mean and variance of its result, for batch normalisation. On a CPU
    the activated pairs of a few samples at a time lie in a scratch, in the
    backward pass once more; only inputs and outputs are kept for it.

    Args:
        a: The terms of the targets :math:`i`, of shape :math:`[N, V, D]`.
        b: The terms of the sources :math:`j`, of shape :math:`[N, V, D]`.
        weight: :math:`\mathbf{W}`, of shape :math:`[D_{out}, D]`.
        bias: :math:`\mathbf{c}`, of shape :math:`[D_{out}]`.
        self_pairs: Whether :math:`j = i` is a pair. (default: :obj:`False`)

    Returns:
        :math:`\mathbf{y}` of shape :math:`[N, V, V - 1, D_{out}]`, or
        :math:`[N, V, V, D_{out}]` with self pairs: the sources of each target
        in their order; then the mean and the biased variance over all pairs,
        of shape :math:`[D_{out}]`, zeros if there are no pairs.

    Raises:
        ValueError: If :obj:`a` and :obj:`b` are not of one shape
            :math:`[N, V, D]`.
    """
    check(a, b)
    # Autocast acts on plain code.
    if plain(a, weight) or torch.is_autocast_enabled("cpu"):
        return _pair_linear_plain(a, b, weight, bias, self_pairs)
    out: Outputs = _PairLinear.apply(a, b, weight, bias, self_pairs)
    return out


def _pair_linear_plain(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool
) -> Outputs:
    rows = _rows((a.unsqueeze(2) + b.unsqueeze(1)).relu(), self_pairs)
    out = linear(rows, weight, bias)
    wide = out.to(torch.promote_types(out.dtype, torch.float32))
    count = max(1, out.size(0))
    mean = wide.sum(dim=0) / count
    var = (wide - mean).square().sum(dim=0) / count
    return out.view(_shape(a, weight, self_pairs)), mean, var


class _PairLinear(Function):
    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        b: Tensor,
        weight: Tensor,
        bias: Tensor,
        self_pairs: bool,
    ) -> Outputs:
        out, mean, var = _forward(a, b, weight, bias, self_pairs)
        ctx.save_for_backward(a, b, weight, bias, out, mean)
        ctx.self_pairs = self_pairs
        return out, mean, var

    @staticmethod
    def backward(
        ctx: Any, grad: Tensor, grad_mean: Tensor, grad_var: Tensor
    ) -> tuple[Tensor | None, ...]:
        *inputs, out, mean = ctx.saved_tensors
        if torch.is_grad_enabled():
            # An input may depend on another: views keep them apart.
            a, b, weight, bias = inputs = [t.view_as(t) for t in inputs]
            outputs = _pair_linear_plain(a, b, weight, bias, ctx.self_pairs)
            grads = (grad, grad_mean, grad_var)
            found = torch.autograd.grad(
                outputs, inputs, grads, create_graph=True
            )
            return *found, None
        # The gradient of a row y is grad + offset + scale * y.
        count = max(1, out[..., 0].numel())
        scale = 2 * grad_var / count
        offset = grad_mean / count - scale * mean
        a, b, weight, _ = inputs
        found = _backward(
            grad.contiguous(), out, scale, offset, a, b, weight, ctx.self_pairs
        )
        return *found, None


@torch.library.custom_op("symgnn_pyg::pair_linear", mutates_args=())
def _forward(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool
) -> tuple[Tensor, Tensor, Tensor]:
    out = a.new_empty(_shape(a, weight, self_pairs))
    count, mean = 0, a.new_zeros(weight.size(0))
    squares = torch.zeros_like(mean)  # Of what differs from the mean.
    for here, grid in grids(a, b):
        rows = _rows(grid.relu_(), self_pairs)
        y = out[here].view(-1, weight.size(0))
        y.copy_(product(rows, weight.t(), bias))
        size = y.size(0)
        if size == 0:
            continue
        # The moments of blocks are merged, which is exact and stable.
        block_mean = y.mean(dim=0)
        step = block_mean - mean
        squares += (y - block_mean).square_().sum(dim=0)
        squares += step.square() * (count * size / (count + size))
        count += size
        mean += step * (size / count)
    return out, mean, squares / max(1, count)


@torch.library.custom_op("symgnn_pyg::pair_linear_backward", mutates_args=())
def _backward(
    grad: Tensor,
    out: Tensor,
    scale: Tensor,
    offset: Tensor,
    a: Tensor,
    b: Tensor,
    weight: Tensor,
    self_pairs: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    grad_a, grad_b = a.new_empty(a.shape), b.new_empty(b.shape)
    grad_weight = torch.zeros_like(weight)
    grad_bias = weight.new_zeros(weight.size(0))
    for here, grid in grids(a, b):
        rows = _rows(grid.relu_(), self_pairs)
        g = torch.addcmul(offset, scale, out[here]).add_(grad[here])
        g = g.view(-1, weight.size(0))
        grad_bias += g.sum(dim=0)
        grad_weight += product(g.t(), rows)
        grad_rows = product(g, weight).mul_(rows.gt_(0))
        if self_pairs:
            grid = grad_rows.view_as(grid)
        else:
            grid.diagonal(dim1=1, dim2=2).zero_()
            others = drop_diagonal(grid)
            others.copy_(grad_rows.view_as(others))
        torch.sum(grid, dim=2, out=grad_a[here])
        torch.sum(grid, dim=1, out=grad_b[here])
    return grad_a, grad_b, grad_weight, grad_bias


@_forward.register_fake
def _(
    a: Tensor, b: Tensor, weight: Tensor, bias: Tensor, self_pairs: bool
) -> Outputs:
    mean = a.new_empty(weight.size(0))
    out = a.new_empty(_shape(a, weight, self_pairs))
    return out, mean, torch.empty_like(mean)


@_backward.register_fake
def _(
    grad: Tensor,
    out: Tensor,
    scale: Tensor,
    offset: Tensor,
    a: Tensor,
    b: Tensor,
    weight: Tensor,
    self_pairs: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        a.new_empty(a.shape),
        b.new_empty(b.shape),
        torch.empty_like(weight),
        weight.new_empty(weight.size(0)),
    )


def _rows(grid: Tensor, self_pairs: bool) -> Tensor:
    pairs = grid if self_pairs else drop_diagonal(grid)
    return pairs.reshape(-1, grid.size(-1))


def _shape(a: Tensor, weight: Tensor, self_pairs: bool) -> tuple[int, ...]:
    n, v, _ = a.shape
    return n, v, num_partners(v, self_pairs), weight.size(0)

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from symgnn_pyg.ops.pairs import check, grids, num_partners, plain


def pair_mean(a: Tensor, b: Tensor, self_pairs: bool = False) -> Tensor:
    r"""The mean of the activated pairs of each joint,

    .. math::
        \mathbf{y}_i = \frac{1}{V - 1} \sum_{j \neq i}
        \textrm{ReLU}(\mathbf{a}_i + \mathbf{b}_j)

    which is what stands between the two linear layers of :math:`f_e` in
    equation (1) of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper. On a CPU the pairs of a few
    samples at a time pass through a scratch that stays in the cache, in the
    backward pass once more; only :obj:`a` and :obj:`b` are kept for it.

    Args:
        a: The terms of the targets :math:`i`, of shape :math:`[N, V, D]`.
        b: The terms of the sources :math:`j`, of shape :math:`[N, V, D]`.
        self_pairs: If set to :obj:`True`, the mean is over all :math:`V`
            joints, :math:`j = i` included. (default: :obj:`False`)

    Returns:
        A tensor of the shape of :obj:`a`; zeros if a joint has no partner.

    Raises:
        ValueError: If :obj:`a` and :obj:`b` are not of one shape
            :math:`[N, V, D]`.
    """
    check(a, b)
    dtype = a.dtype
    wide = torch.promote_types(dtype, torch.float32)
    a, b = a.to(wide), b.to(wide)
    apply = _pair_mean_plain if plain(a) else _PairMean.apply
    out: Tensor = apply(a, b, self_pairs)
    return out.to(dtype)


def _pair_mean_plain(a: Tensor, b: Tensor, self_pairs: bool) -> Tensor:
    total = (a.unsqueeze(2) + b.unsqueeze(1)).relu().sum(dim=2)
    if not self_pairs:
        total = total - (a + b).relu()
    return total / max(1, num_partners(a.size(1), self_pairs))


class _PairMean(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, self_pairs: bool) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.self_pairs = self_pairs
        return _forward(a, b, self_pairs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        a, b = ctx.saved_tensors
        if torch.is_grad_enabled():
            # One may depend on the other: views keep their derivatives apart.
            a, b = a.view_as(a), b.view_as(b)
            out = _pair_mean_plain(a, b, ctx.self_pairs)
            found = torch.autograd.grad(out, (a, b), grad, create_graph=True)
            return *found, None
        return *_backward(grad, a, b, ctx.self_pairs), None


@torch.library.custom_op("symgnn_pyg::pair_mean", mutates_args=())
def _forward(a: Tensor, b: Tensor, self_pairs: bool) -> Tensor:
    out = a.new_empty(a.shape)
    for here, grid in grids(a, b):
        grid.relu_()
        if not self_pairs:
            grid.diagonal(dim1=1, dim2=2).zero_()
        torch.sum(grid, dim=2, out=out[here])
    return out.div_(max(1, num_partners(a.size(1), self_pairs)))


@torch.library.custom_op("symgnn_pyg::pair_mean_backward", mutates_args=())
def _backward(
    grad: Tensor, a: Tensor, b: Tensor, self_pairs: bool
) -> tuple[Tensor, Tensor]:
    grad = grad / max(1, num_partners(a.size(1), self_pairs))
    grad_a, grad_b = a.new_empty(a.shape), b.new_empty(b.shape)
    # The mask of the active pairs, as numbers, in one pass.
    for here, grid in grids(a, -b, torch.gt):
        if not self_pairs:
            grid.diagonal(dim1=1, dim2=2).zero_()
        torch.sum(grid, dim=2, out=grad_a[here])
        torch.sum(grid.mul_(grad[here].unsqueeze(2)), dim=1, out=grad_b[here])
    return grad_a.mul_(grad), grad_b


@_forward.register_fake
def _(a: Tensor, b: Tensor, self_pairs: bool) -> Tensor:
    return a.new_empty(a.shape)


@_backward.register_fake
def _(
    grad: Tensor, a: Tensor, b: Tensor, self_pairs: bool
) -> tuple[Tensor, Tensor]:
    return a.new_empty(a.shape), b.new_empty(b.shape)

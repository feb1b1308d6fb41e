from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function
from torch.nn import BatchNorm1d

from symgnn_pyg.nn.conv.channel_norm import count_batch, track
from symgnn_pyg.nn.models.joint_groups import Groups, split
from symgnn_pyg.ops.pairs import num_partners

Statistics = Callable[[], tuple[Tensor, Tensor]]


def normalise_pairs(
    norm: BatchNorm1d, a: Tensor, b: Tensor, groups: Groups, self_pairs: bool
) -> tuple[Tensor, Tensor]:
    r"""Batch normalisation of all pairs :math:`\mathbf{a}_i + \mathbf{b}_j`
    of joints, without the pairs: it returns terms with

    .. math::
        \mathbf{a}^{\prime}_i + \mathbf{b}^{\prime}_j =
        \textrm{BN}(\mathbf{a}_i + \mathbf{b}_j)

    In training the statistics are exactly those of the pairs, see
    :func:`pair_statistics`, and the running statistics become what they
    become behind a list of all pairs.

    Args:
        norm: The layer, as it would see the list of pairs.
        a: The terms of the targets, of shape :math:`[M, D]`.
        b: The terms of the sources, of shape :math:`[M, D]`.
        groups: How the :math:`M` joints are shared out: so many samples of so
            many joints each, one group after another.
        self_pairs: Whether :math:`j = i` is a pair.

    Raises:
        ValueError: If there is but one pair in training.
    """
    wide = torch.promote_types(a.dtype, torch.float32)
    scale, shift = scale_and_shift(
        norm,
        count_pairs(groups, self_pairs),
        lambda: pair_statistics(a.to(wide), b.to(wide), groups, self_pairs),
    )
    return (a * scale).to(a.dtype), torch.addcmul(shift, b, scale).to(b.dtype)


def scale_and_shift(
    norm: BatchNorm1d, num_pairs: int, statistics: Statistics
) -> tuple[Tensor, Tensor]:
    r"""Batch normalisation as a scale and a shift of each channel.

    Args:
        norm: The layer. It keeps track as if it had seen the pairs.
        num_pairs: The number of pairs.
        statistics: Returns mean and biased variance of the pairs.

    Raises:
        ValueError: If there is but one pair in training.
    """
    mean, var = norm.running_mean, norm.running_var
    if norm.training or mean is None or var is None:
        if num_pairs == 1:
            raise ValueError(
                "Expected more than one pair of joints in training, got one, "
                f"of {norm.num_features} channels"
            )
        if norm.training:
            count_batch(norm)
        if num_pairs == 0:
            return norm.weight, norm.bias
        mean, var = statistics()
        if norm.training:
            track(norm, mean, var * (num_pairs / (num_pairs - 1)))
    scale = norm.weight * torch.rsqrt(var + norm.eps)
    return scale, norm.bias - mean * scale


def pooled(
    means: Sequence[Tensor], variances: Sequence[Tensor], counts: Sequence[int]
) -> tuple[Tensor, Tensor]:
    r"""Mean and biased variance of all from those of groups."""
    if len(counts) == 1:
        return means[0], variances[0]
    share = [count / sum(counts) for count in counts]
    mean = sum(s * m for s, m in zip(share, means, strict=True))
    assert isinstance(mean, Tensor)
    var = torch.zeros_like(mean)
    for s, m, v in zip(share, means, variances, strict=True):
        var = var + s * (v + (m - mean).square())
    return mean, var


def pair_statistics(
    a: Tensor, b: Tensor, groups: Groups, self_pairs: bool
) -> tuple[Tensor, Tensor]:
    r"""Mean and biased variance of all pairs
    :math:`\mathbf{a}_i + \mathbf{b}_j`. A joint of a sample with :math:`V`
    joints is in :math:`w = V - 1` pairs on either side. With :math:`P` pairs,
    their mean :math:`\mathbf{m}`, that of the :math:`P_n` pairs of a sample
    :math:`\mathbf{m}_n`, and :math:`\mathbf{a}` and :math:`\mathbf{b}` less
    their means in the sample, the variance is

    .. math::
        \frac{1}{P} \sum_n \left( P_n (\mathbf{m}_n - \mathbf{m})^2
        + w \sum_i \left( \mathbf{a}_i^2 + \mathbf{b}_i^2 \right)
        - 2 \sum_i \mathbf{a}_i \mathbf{b}_i \right)

    With self pairs :math:`w = V`, and the last sum is absent. No large numbers
    cancel, however far samples lie from each other.

    Args:
        a: The terms of the targets, of shape :math:`[M, D]`.
        b: The terms of the sources, of shape :math:`[M, D]`.
        groups: How the :math:`M` joints are shared out: so many samples of so
            many joints each, one group after another.
        self_pairs: Whether :math:`j = i` is a pair.
    """
    mean, var = _Statistics.apply(a, b, tuple(groups), self_pairs)
    return mean, var


class _Statistics(Function):
    # Its own derivative, since that takes a third of the passes over memory.
    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, groups: Groups, self_pairs: bool
    ) -> tuple[Tensor, Tensor]:
        num_pairs = count_pairs(groups, self_pairs)
        means, shares, squares = [], [], []
        for a_n, b_n in zip(split(a, groups), split(b, groups), strict=True):
            partners = num_partners(a_n.size(1), self_pairs)
            mean_a, mean_b = (t.mean(dim=1, keepdim=True) for t in (a_n, b_n))
            means.append((mean_a + mean_b).squeeze(1))
            shares.append(a_n.size(1) * partners / num_pairs)
            a_n, b_n = a_n - mean_a, b_n - mean_b
            square = torch.addcmul(a_n * a_n, b_n, b_n).sum(dim=(0, 1))
            square = square * (partners / num_pairs)
            if not self_pairs:
                product = (a_n * b_n).sum(dim=(0, 1))
                square = square - product * (2 / num_pairs)
            squares.append(square)
        pairs = list(zip(means, shares, strict=True))
        mean = reduce(torch.add, (m.sum(dim=0) * s for m, s in pairs))
        ctx.save_for_backward(a, b, mean)
        ctx.groups, ctx.self_pairs = groups, self_pairs
        between = ((m - mean).square().sum(dim=0) * s for m, s in pairs)
        # Rounding may leave a variance of zero a little below.
        return mean, reduce(torch.add, [*between, *squares]).clamp_min_(0)

    @staticmethod
    def backward(
        ctx: Any, grad_mean: Tensor, grad_var: Tensor
    ) -> tuple[Tensor | None, ...]:
        a, b, mean = ctx.saved_tensors
        groups, self_pairs = ctx.groups, ctx.self_pairs
        num_pairs = count_pairs(groups, self_pairs)
        scale = 2 * grad_var / num_pairs
        constant = grad_mean / num_pairs - scale * mean

        def derivative(term: Tensor, other: Tensor) -> Tensor:
            # Of a_i: the sum of 2 (a_i + b_j - mean) / P over its partners j.
            weight = num_partners(term.size(1), self_pairs)
            partners = other.sum(dim=1, keepdim=True)
            offset = weight * constant + scale * partners
            inner = weight * term if self_pairs else weight * term - other
            return torch.addcmul(offset, scale, inner).flatten(0, 1)

        terms = list(zip(split(a, groups), split(b, groups), strict=True))
        grad_a = torch.cat([derivative(a_n, b_n) for a_n, b_n in terms])
        grad_b = torch.cat([derivative(b_n, a_n) for a_n, b_n in terms])
        return grad_a, grad_b, None, None


def count_pairs(groups: Groups, self_pairs: bool) -> int:
    r"""The number of pairs :math:`P`."""
    return sum(n * v * num_partners(v, self_pairs) for n, v in groups)

import torch
from torch import Tensor
from torch.nn import BatchNorm1d

from symgnn_pyg.nn.batch import Groups, split


def normalise_pairs(
    norm: BatchNorm1d, a: Tensor, b: Tensor, groups: Groups, self_pairs: bool
) -> tuple[Tensor, Tensor]:
    r"""Batch normalisation of all pairs :math:`\mathbf{a}_i + \mathbf{b}_j`
    of joints, without the pairs: it returns terms with

    .. math::
        \mathbf{a}^{\prime}_i + \mathbf{b}^{\prime}_j =
        \textrm{BN}(\mathbf{a}_i + \mathbf{b}_j)

    In training the statistics are exactly those of the pairs, see
    :func:`pair_statistics`, and the running statistics become what they would
    become for a list of all pairs.

    Args:
        norm: The layer, as it would be applied to the list of pairs.
        a: The terms of the targets, of shape :math:`[M, D]`.
        b: The terms of the sources, of shape :math:`[M, D]`.
        groups: The number of samples and their number of joints, for one group
            of the :math:`M` joints after another.
        self_pairs: Whether :math:`j = i` is a pair.
    """
    mean, var = norm.running_mean, norm.running_var
    if norm.training or mean is None or var is None:
        num_pairs = count_pairs(groups, self_pairs)
        if num_pairs == 1:
            raise ValueError(
                f"Expected more than one pair of joints in training, got one, "
                f"of {norm.num_features} channels"
            )
        wide = torch.promote_types(a.dtype, torch.float32)
        mean, var = pair_statistics(a.to(wide), b.to(wide), groups, self_pairs)
        if norm.training and norm.track_running_stats:
            _track(norm, mean, var, num_pairs)
    scale = torch.rsqrt(var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = -mean * scale
    if norm.bias is not None:
        shift = shift + norm.bias
    return (a * scale).to(a.dtype), torch.addcmul(shift, b, scale).to(b.dtype)


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
    cancel, however far samples are from each other.
    """
    num_pairs = max(1, count_pairs(groups, self_pairs))
    var = mean = a.new_zeros(a.size(1))
    means: list[tuple[float, Tensor]] = []
    for a_n, b_n in zip(split(a, groups), split(b, groups), strict=True):
        v = a_n.size(1)
        partners = v if self_pairs else v - 1
        mean_a, mean_b = a_n.mean(dim=1), b_n.mean(dim=1)
        means.append((v * partners / num_pairs, mean_a + mean_b))
        a_n, b_n = a_n - mean_a.unsqueeze(1), b_n - mean_b.unsqueeze(1)
        squares = (a_n.square() + b_n.square()).sum(dim=(0, 1))
        var = var + squares * (partners / num_pairs)
        if not self_pairs:
            var = var - (a_n * b_n).sum(dim=(0, 1)) * (2 / num_pairs)
    for share, each in means:
        mean = mean + share * each.sum(dim=0)
    for share, each in means:
        var = var + share * (each - mean).square().sum(dim=0)
    # Rounding may leave a variance of zero a little below zero.
    return mean, var.clamp_min(0)


def count_pairs(groups: Groups, self_pairs: bool) -> int:
    r"""The number of pairs :math:`P`."""
    return sum(n * v * (v if self_pairs else v - 1) for n, v in groups)


@torch.no_grad()
def _track(norm: BatchNorm1d, mean: Tensor, var: Tensor, count: int) -> None:
    r"""Updates the running statistics of a layer as it does itself."""
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    if count == 0 or norm.running_mean is None or norm.running_var is None:
        return
    momentum: float | Tensor | None = norm.momentum
    if momentum is None:
        assert norm.num_batches_tracked is not None
        momentum = 1 / norm.num_batches_tracked.to(mean.dtype)
    unbiased = var * (count / (count - 1))
    for running, value in (
        (norm.running_mean, mean),
        (norm.running_var, unbiased),
    ):
        running.lerp_(value.to(running.dtype), momentum)

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Module

from symgnn_pyg.nn.conv.has_hooks import has_hooks
from symgnn_pyg.ops.batch_norm import batch_norm, batch_statistics
from symgnn_pyg.ops.plain_code import may_recompute


class ChannelNorm(Module):
    r"""Batch normalisation over the last dimension of :math:`[M, T, C]`
    features. The layer within may be converted to another, such as
    :class:`torch.nn.SyncBatchNorm`.

    Args:
        channels: Their number :math:`C`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = BatchNorm1d(channels)

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        self.norm.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        if not self.recomputes(x):
            return self.norm(x.flatten(0, -2)).view_as(x)
        return batch_norm(x, *self.terms(x))

    def recomputes(self, x: Tensor) -> bool:
        r"""Whether operators of this library take the place of
        :class:`torch.nn.BatchNorm1d`: they need less memory in training on a
        CPU (`python -m benchmarks.blocks`), and are not measured elsewhere.

        Args:
            x: The features, of shape :math:`[M, T, C]`.
        """
        norm = self.norm
        return (
            type(norm) is BatchNorm1d
            and norm.training
            and norm.weight is not None
            and norm.bias is not None
            and x.dtype == norm.weight.dtype
            and x.size(-1) == norm.num_features
            and x.numel() > x.size(-1)
            and may_recompute(x)
            and not has_hooks(norm)
        )

    def terms(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
        r"""Scale, shift, mean, biased variance and :math:`\epsilon` to
        normalise a batch with, which the running statistics then know.

        Args:
            x: The features, of shape :math:`[M, T, C]`.
        """
        norm = self.norm
        mean, var = batch_statistics(x)
        count_batch(norm)
        count = x.numel() // x.size(-1)
        track(norm, mean, var * (count / (count - 1)))
        return norm.weight, norm.bias, mean, var, norm.eps


def count_batch(norm: BatchNorm1d) -> None:
    r"""Counts a batch, as a layer in training does itself."""
    if norm.track_running_stats and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)


@torch.no_grad()
def track(norm: BatchNorm1d, mean: Tensor, var: Tensor) -> None:
    r"""Moves the running statistics of a layer, as it does itself.

    Args:
        norm: The layer, which has counted the batch.
        mean: The means of a batch, of shape :math:`[C]`.
        var: Its unbiased variances, of shape :math:`[C]`.
    """
    if (
        not norm.track_running_stats
        or norm.running_mean is None
        or norm.running_var is None
    ):
        return
    for running, value in [(norm.running_mean, mean), (norm.running_var, var)]:
        factor: float | Tensor | None = norm.momentum
        if factor is None:
            if norm.num_batches_tracked is None:
                return
            factor = 1 / norm.num_batches_tracked.to(running.dtype)
        running.lerp_(value.to(running.dtype), factor)

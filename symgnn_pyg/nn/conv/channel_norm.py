from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.nn import BatchNorm1d, Module


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
        return self.norm(x.flatten(0, -2)).view_as(x)

    @contextmanager
    def untracked(self) -> Iterator[None]:
        r"""A context in which a batch leaves the running statistics alone, as
        one that is normalised for a second time must.
        """
        norm = self.norm
        momentum, count = norm.momentum, norm.num_batches_tracked
        norm.momentum, norm.num_batches_tracked = 0.0, None
        try:
            yield
        finally:
            norm.momentum, norm.num_batches_tracked = momentum, count

from torch import Tensor
from torch.nn import BatchNorm1d, Module


class ChannelNorm(Module):
    r"""Batch normalisation over the last dimension of features
    :math:`[M, T, C]`. Its layer may be replaced by another one, such as
    :class:`torch.nn.SyncBatchNorm`.

    Args:
        channels: The number of channels :math:`C`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = BatchNorm1d(channels)

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        self.norm.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.flatten(0, -2)).view_as(x)


class KeepRunningStatistics:
    r"""A reusable context in which a layer normalises a batch once more: in
    the mode that it had when the context was made, but without updating its
    running statistics.
    """

    def __init__(self, norm: BatchNorm1d) -> None:
        self.norm = norm
        self.training = norm.training

    def __enter__(self) -> None:
        norm = self.norm
        self.state = norm.training, norm.momentum, norm.num_batches_tracked
        norm.training = self.training
        norm.momentum, norm.num_batches_tracked = 0.0, None

    def __exit__(self, *_: object) -> None:
        norm = self.norm
        norm.training, norm.momentum, norm.num_batches_tracked = self.state

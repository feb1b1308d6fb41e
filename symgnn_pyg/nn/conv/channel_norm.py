from torch import Tensor
from torch.nn import BatchNorm1d


class ChannelNorm(BatchNorm1d):
    r"""Batch normalisation over the last dimension of
    :math:`[M, T, C]` features.
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).view_as(x)

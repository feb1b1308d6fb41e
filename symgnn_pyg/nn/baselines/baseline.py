"""What the rivals of the paper's tables have in common."""

from torch import Tensor
from torch.nn import Module
from torch_geometric.utils import scatter

from symgnn_pyg import Skeleton
from symgnn_pyg.nn.pool.rows import sample_of_body, samples


class Baseline(Module):
    r"""A network that is built by the same arguments as all others, called as
    :class:`~symgnn_pyg.nn.SymGNN` is, and returns what that returns. What a
    rival has no use for it ignores: :obj:`num_classes` where it predicts,
    :obj:`future` where it recognises.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_classes: The number of actions :math:`K`.
        num_observed: The number of observed frames :math:`T`.
        num_future: The number of frames to predict :math:`T'`.
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with class scores
          :math:`[N, K]` or poses :math:`[M \cdot V, T', C]`
    """

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        num_observed: int,
        num_future: int,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.skeleton = skeleton
        self.num_classes = num_classes
        self.num_observed = num_observed
        self.num_future = num_future
        self.in_channels = in_channels

    def samples(self, x: Tensor) -> Tensor:
        r"""Views the observed sequences as :math:`[M, V, T, C]`.

        Raises:
            ValueError: If :obj:`x` does not have the shape that the network
                was built for.
        """
        if x.dim() != 3 or x.shape[1:] != (self.num_observed, self.in_channels):
            raise ValueError(
                f"Expected 'x' of shape [M * {self.skeleton.num_joints}, "
                f"{self.num_observed}, {self.in_channels}], got {list(x.shape)}"
            )
        return samples(x, self.skeleton.num_joints, "joints")


def join_bodies(h: Tensor, num_bodies: Tensor | None, reduce: str) -> Tensor:
    r"""The features of samples :math:`[N, D]` from those of their bodies.

    Args:
        h: The features of the bodies, of shape :math:`[M, D]`.
        num_bodies: The number of bodies of each sample, of shape :math:`[N]`,
            or :obj:`None` for one each.
        reduce: :obj:`"mean"` or :obj:`"max"`.
    """
    if num_bodies is None:
        return h
    sample = sample_of_body(num_bodies, h.size(0))
    return scatter(h, sample, dim_size=num_bodies.numel(), reduce=reduce)

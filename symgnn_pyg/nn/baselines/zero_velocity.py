from torch import Tensor

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline


class ZeroVelocity(Baseline):
    r"""The zero-velocity baseline from the `"On Human Motion Prediction Using
    Recurrent Neural Networks" <https://arxiv.org/abs/1705.02445>`_ paper,
    which repeats the last observed pose:

    .. math::
        \hat{\mathbf{x}}_{T + t} = \mathbf{x}_T

    It has no parameters and needs no training.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_future: The number of frames to predict :math:`T'`.
            (default: :obj:`25`)
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)

    Raises:
        ValueError: If a size is smaller than 1.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of
          :math:`M` bodies
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with poses
          :math:`[M \cdot V, T', C]`
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_future: int = 25,
        *,
        in_channels: int = 3,
    ) -> None:
        super().__init__(skeleton, in_channels)
        self._keep_arguments(locals())
        check_sizes(1, num_future=num_future)
        self.num_future = num_future

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        last = self.samples(x)[:, :, -1].flatten(0, 1)  # [M*V, C]
        future = last.unsqueeze(1).repeat(1, self.num_future, 1)
        return SymGNNOutput(None, future, None, last)

from torch import Tensor

from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline


class ZeroVelocity(Baseline):
    r"""The baseline of the `"On Human Motion Prediction Using Recurrent Neural
    Networks" <https://arxiv.org/abs/1705.02445>`_ paper that predicts no
    motion at all:

    .. math::
        \hat{\mathbf{x}}_{T + t} = \mathbf{x}_T

    It has no parameters, so there is nothing to train, and no optimiser takes
    it.
    """

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: Ignored: each body moves alone.
        """
        last = self.samples(x)[:, :, -1].flatten(0, 1)  # [M*V, C]
        future = last.unsqueeze(1).repeat(1, self.num_future, 1)
        return SymGNNOutput(None, future, None, last)

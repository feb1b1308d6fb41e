import torch
from torch import Tensor
from torch.nn import GRU, Linear
from torch.nn.functional import one_hot

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline
from symgnn_pyg.nn.pool.rows import sample_of_body


class ResidualGRU(Baseline):
    r"""The recurrent network of the `"On Human Motion Prediction Using
    Recurrent Neural Networks" <https://arxiv.org/abs/1705.02445>`_ paper: one
    GRU reads the observed poses and then, with the same weights, its own
    predictions,

    .. math::
        \mathbf{h}_t = \textrm{GRU}(\mathbf{x}_t, \mathbf{h}_{t-1}), \qquad
        \hat{\mathbf{x}}_{t+1} = \mathbf{x}_t + \mathbf{W} \mathbf{h}_t +
        \mathbf{b}

    Trained on what it predicts from its own predictions, it has the paper's
    sampling-based loss. It is the paper's "residual unsup."; as "residual
    sup." (Res-sup) it also reads the label of the action, which has to be
    given at test time, too.

    What differs: torch's GRU applies the reset gate behind its product, and
    has a second bias. With Human3.6M's 54 angles and 15 actions, supervised,
    it has 3.42 million parameters, 3072 more than the published code, by its
    layers' sizes.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions.
        num_observed: The number of observed frames.
        num_future: The number of frames to predict.
        in_channels: Size of a joint's pose. (default: :obj:`3`)
        channels: The width of the GRU. (default: :obj:`1024`)
        supervised: Whether it reads labels. (default: :obj:`False`)
    """

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        num_observed: int,
        num_future: int,
        in_channels: int = 3,
        channels: int = 1024,
        supervised: bool = False,
    ) -> None:
        super().__init__(
            skeleton, num_classes, num_observed, num_future, in_channels
        )
        self.supervised = supervised
        width = skeleton.num_joints * in_channels
        read = width + num_classes * supervised
        self.gru = GRU(read, channels, batch_first=True)
        self.out = Linear(channels, width)

    def forward(
        self,
        x: Tensor,
        num_bodies: Tensor | None = None,
        y: Tensor | None = None,
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies of each sample, of shape
                :math:`[N]`; only of use to labels. (default: one each)
            y: The labels, of shape :math:`[N]`, if supervised.

        Returns:
            Poses, and as what is shared the state of each body after the
            observed frames, of shape :math:`[M, D]`.

        Raises:
            ValueError: If :obj:`y` is missing, or given though the network is
                not supervised.
        """
        if self.supervised != (y is not None):
            raise ValueError(
                f"Labels 'y' of shape [N] are "
                f"{'missing' if y is None else 'given to a network without'}"
            )
        observed = self.samples(x).transpose(1, 2).flatten(2)  # [M, T, V*C]
        if y is not None:
            if num_bodies is not None:
                y = y[sample_of_body(num_bodies, observed.size(0))]
            y = one_hot(y, self.num_classes).unsqueeze(1).to(x)  # [M, 1, K]
        h, state = self.gru(self._read(observed, y))
        shared, poses = state[0], [observed[:, -1:]]
        for step in range(self.num_future):
            if step > 0:
                h, state = self.gru(self._read(poses[-1], y), state)
            poses.append(poses[-1] + self.out(h[:, -1:]))
        future = torch.cat(poses[1:], dim=1)  # [M, T', V*C]
        future = future.unflatten(2, (-1, self.in_channels))
        future = future.transpose(1, 2).flatten(0, 1)  # [M*V, T', C]
        return SymGNNOutput(None, future, None, shared)

    def _read(self, poses: Tensor, label: Tensor | None) -> Tensor:
        if label is None:
            return poses
        return torch.cat([poses, label.expand(-1, poses.size(1), -1)], dim=-1)

import torch
from torch import Tensor
from torch.nn import GRU, Linear
from torch.nn.functional import one_hot

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline
from symgnn_pyg.nn.batch import sample_of_body


class ResidualGRU(Baseline):
    r"""The residual recurrent network from the `"On Human Motion Prediction
    Using Recurrent Neural Networks" <https://arxiv.org/abs/1705.02445>`_
    paper: a GRU reads the observed poses and then, with the same weights, its
    own predictions,

    .. math::
        \mathbf{h}_t &= \textrm{GRU}(\mathbf{x}_t, \mathbf{h}_{t-1}) \\
        \hat{\mathbf{x}}_{t+1} &= \mathbf{x}_t + \mathbf{W} \mathbf{h}_t +
        \mathbf{b}

    A loss on its output is the paper's sampling-based loss. By default it is
    the paper's unsupervised variant ("residual unsup."). With
    :obj:`num_classes` it is the supervised one ("residual sup."), which also
    reads the label of the action, in training and in testing.

    Two things differ from the published code: torch's GRU applies the reset
    gate after the product with the state, and has a second bias.

    :func:`torch.compile` breaks the graph at the GRU. For
    :obj:`fullgraph=True`, set :obj:`torch._dynamo.config.allow_rnn`.

    With the 54 angles and 15 actions of Human3.6M the supervised variant has
    3.42 million parameters, 3,072 more than the published code.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_future: The number of frames to predict :math:`T'`.
            (default: :obj:`25`)
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        channels: The width :math:`D` of the GRU. (default: :obj:`1024`)
        num_classes: The number of actions :math:`K`, whose labels it reads,
            or 0 for none. (default: :obj:`0`)

    Raises:
        ValueError: If a size is smaller than 1, or :obj:`num_classes` is
            negative.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples, of any length
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with poses
          :math:`[M \cdot V, T', C]`
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_future: int = 25,
        *,
        in_channels: int = 3,
        channels: int = 1024,
        num_classes: int = 0,
    ) -> None:
        super().__init__(skeleton, in_channels)
        self._keep_arguments(locals())
        check_sizes(1, num_future=num_future, channels=channels)
        check_sizes(0, num_classes=num_classes)
        self.num_future = num_future
        self.num_classes = num_classes
        width = self.skeleton.num_joints * in_channels
        self.gru = GRU(width + num_classes, channels, batch_first=True)
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
            num_bodies: The number of bodies per sample, of shape
                :math:`[N]`; used only to repeat labels. (default: one)
            y: The labels, of shape :math:`[N]`, for a network that was built
                with :obj:`num_classes`.

        Raises:
            ValueError: If shapes do not fit, or :obj:`y` is missing or not
                used.
        """
        if self.num_classes and y is None:
            raise ValueError(
                f"This network reads the labels of {self.num_classes} actions: "
                f"pass 'y' of shape [N]"
            )
        if y is not None and not self.num_classes:
            raise ValueError(
                "'y' was given to a network that reads no labels; build it "
                "with 'num_classes'"
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

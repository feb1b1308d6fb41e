import torch
from torch import Tensor
from torch.nn import (
    Conv2d,
    Dropout,
    Dropout2d,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
)

from symgnn_pyg import Skeleton, ops
from symgnn_pyg.nn import SymGNNOutput, TemporalConv
from symgnn_pyg.nn.baselines.baseline import Baseline, join_bodies
from symgnn_pyg.ops import interpolate_frames


class Stream(Module):
    r"""The convolutions of HCN up to the fourth, for positions or for
    velocities. The first two see each joint alone; for the third, joints are
    channels, so that each of its outputs sees all of them. Node-major memory
    has joints where that wants them.

    Args:
        num_joints: The number of joints :math:`V`.
        in_channels: Size of a joint's pose :math:`C`.
        frames: The number of frames :math:`F`, also the width of the second
            convolution, and so of the image.
        dropout: The dropout probability.

    Shapes:
        - **input:** sequences :math:`[M, V, F, C]`
        - **output:** images :math:`[M, 64, F / 4, F / 4]`
    """

    def __init__(
        self, num_joints: int, in_channels: int, frames: int, dropout: float
    ) -> None:
        super().__init__()
        self.point = Sequential(Linear(in_channels, 64), ReLU())
        self.time = TemporalConv(64, frames, 3)
        self.co_occurrence = Sequential(
            Conv2d(num_joints, 32, 3, padding=1),
            MaxPool2d(2),
            Conv2d(32, 64, 3, padding=1),
            Dropout2d(dropout),
            MaxPool2d(2),
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.time(self.point(x.flatten(0, 1)))  # [M*V, F, F]
        return self.co_occurrence(h.unflatten(0, x.shape[:2]))


class HCN(Baseline):
    r"""The convolutional network of the `"Co-occurrence Feature Learning from
    Skeleton Data for Action Recognition and Detection with Hierarchical
    Aggregation" <https://arxiv.org/abs/1804.06055>`_ paper: a stream of
    positions and one of velocities, joined in front of the fifth convolution,
    and the maximum over bodies behind the sixth. Sequences are brought to
    :obj:`frames` frames by linear interpolation.

    What differs: velocities are those of :func:`symgnn_pyg.ops.difference`
    and so zero in the first frame, where the paper resizes the differences.
    With NTU-RGB+D's 25 joints and 60 classes it has 2.65 million parameters,
    as the well-known reimplementation in PyTorch, whose sizes are the
    defaults. With the paper's own, :obj:`frames=32` and
    :obj:`hidden_channels=256`, it has 0.78 million.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions.
        num_observed: The number of observed frames.
        num_future: Ignored.
        in_channels: Size of a joint's pose. (default: :obj:`3`)
        frames: The number of frames that sequences are brought to, a multiple
            of 16. (default: :obj:`64`)
        hidden_channels: The width of the first fully connected layer.
            (default: :obj:`512`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Raises:
        ValueError: If :obj:`frames` is no multiple of 16.
    """

    times: Tensor

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        num_observed: int,
        num_future: int,
        in_channels: int = 3,
        frames: int = 64,
        hidden_channels: int = 512,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            skeleton, num_classes, num_observed, num_future, in_channels
        )
        if frames < 16 or frames % 16 != 0:
            raise ValueError(f"'frames' must be a multiple of 16, got {frames}")
        times = torch.linspace(0, num_observed - 1, frames)
        self.register_buffer("times", times, persistent=False)
        sizes = skeleton.num_joints, in_channels, frames, dropout
        self.position = Stream(*sizes)
        self.velocity = Stream(*sizes)
        self.image = Sequential(
            Conv2d(128, 128, 3, padding=1),
            ReLU(),
            Dropout2d(dropout),
            MaxPool2d(2),
            Conv2d(128, 256, 3, padding=1),
            ReLU(),
            Dropout2d(dropout),
            MaxPool2d(2),
        )
        self.hidden = Sequential(
            Linear(256 * (frames // 16) ** 2, hidden_channels),
            ReLU(),
            Dropout(dropout),
        )
        self.classify = Linear(hidden_channels, num_classes)

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies of each sample, of shape
                :math:`[N]`. (default: one each)
        """
        motion = interpolate_frames(self.samples(x), self.times)
        streams = self.position(motion), self.velocity(ops.difference(motion))
        h = self.image(torch.cat(streams, dim=1)).flatten(1)
        h = self.hidden(join_bodies(h, num_bodies, "max"))
        return SymGNNOutput(self.classify(h), None, None, h)

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
from torch.nn.functional import interpolate

from symgnn_pyg import Skeleton, ops
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import SymGNNOutput, TemporalConv
from symgnn_pyg.nn.baselines.baseline import Baseline
from symgnn_pyg.nn.batch import join_bodies


class HCNStream(Module):
    r"""The first four convolutions of HCN, for positions or for velocities.
    The first two see each joint separately. In the third, joints are the
    channels, so that each of its outputs sees all of them; the node-major
    layout already has joints in that place.

    Args:
        num_joints: The number of joints :math:`V`.
        in_channels: Size of a joint's pose :math:`C`.
        num_frames: The number of frames :math:`F`, which is also the width of
            the second convolution.
        dropout: The dropout probability.

    Shapes:
        - **input:** sequences :math:`[M, V, F, C]`
        - **output:** images :math:`[M, 64, F / 4, F / 4]`
    """

    def __init__(
        self, num_joints: int, in_channels: int, num_frames: int, dropout: float
    ) -> None:
        super().__init__()
        self.point = Sequential(Linear(in_channels, 64), ReLU())
        self.time = TemporalConv(64, num_frames, 3)
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
    r"""The hierarchical co-occurrence network (HCN) from the `"Co-occurrence
    Feature Learning from Skeleton Data for Action Recognition and Detection
    with Hierarchical Aggregation" <https://arxiv.org/abs/1804.06055>`_ paper:
    convolutions :math:`f` of a sequence, resized to :math:`F` frames by linear
    interpolation, and :math:`g` of its velocities, joined by further
    convolutions :math:`h` and reduced to the maximum over the bodies of a
    sample, before two fully connected layers:

    .. math::
        \hat{\mathbf{y}} = \textrm{MLP} \left( \max_m \, h \left(
        f(\mathbf{X}_m) \, \Vert \, g(\mathcal{D} \mathbf{X}_m) \right)
        \right)

    Velocities are the :func:`symgnn_pyg.ops.difference` of the resized
    sequence, zero in the first frame; the paper resizes the differences.

    With the 25 joints and 60 classes of NTU-RGB+D it has 2.65 million
    parameters, like the widely used PyTorch reimplementation, whose sizes are
    the defaults. With those of the paper, :obj:`num_frames=32` and
    :obj:`hidden_channels=256`, it has 0.78 million.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_classes: The number of actions :math:`K`.
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        num_frames: The number of frames :math:`F` that sequences are resized
            to, a multiple of 16. (default: :obj:`64`)
        hidden_channels: The width of the first fully connected layer.
            (default: :obj:`512`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Raises:
        ValueError: If a size is smaller than 1, or :obj:`num_frames` is not a
            multiple of 16.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of the
          :math:`M` bodies of :math:`N` samples, of any length
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with class scores
          :math:`[N, K]`
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_classes: int,
        *,
        in_channels: int = 3,
        num_frames: int = 64,
        hidden_channels: int = 512,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(skeleton, in_channels)
        self._keep_arguments(locals())
        check_sizes(1, num_classes=num_classes, hidden_channels=hidden_channels)
        if num_frames < 16 or num_frames % 16 != 0:
            raise ValueError(
                f"'num_frames' must be a multiple of 16, got {num_frames}"
            )
        self.num_classes = num_classes
        self.num_frames = num_frames
        sizes = self.skeleton.num_joints, in_channels, num_frames, dropout
        self.position = HCNStream(*sizes)
        self.velocity = HCNStream(*sizes)
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
            Linear(256 * (num_frames // 16) ** 2, hidden_channels),
            ReLU(),
            Dropout(dropout),
        )
        self.classify = Linear(hidden_channels, num_classes)

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        bodies = self.samples(x)
        frames = interpolate(
            bodies.flatten(0, 1).mT,
            self.num_frames,
            mode="linear",
            align_corners=True,
        )
        motion = frames.mT.unflatten(0, bodies.shape[:2])  # [M, V, F, C]
        streams = self.position(motion), self.velocity(ops.difference(motion))
        h = self.image(torch.cat(streams, dim=1)).flatten(1)
        h = self.hidden(join_bodies(h, num_bodies, "max"))
        return SymGNNOutput(self.classify(h), None, None, h)

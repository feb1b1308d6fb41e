from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn import BatchNorm1d, Linear, Module, ModuleList

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline
from symgnn_pyg.nn.batch import join_bodies


class JointClassifier(Baseline):
    r"""The part that ST-GCN, 2s-AGCN, AS-GCN and CTR-GCN share: batch
    normalisation of each channel of each joint, a stack of blocks, the mean
    over frames, joints and bodies, and a linear classifier.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions :math:`K`.
        in_channels: Size of a joint's pose :math:`C`.
        channels: The width of each block.
        strides: The temporal stride of each block.
        block: Builds a block from the widths of its input and output, its
            :obj:`stride`, and whether it has a :obj:`residual` connection,
            which all but the first have.
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_classes: int,
        in_channels: int,
        *,
        channels: Sequence[int],
        strides: Sequence[int],
        block: Callable[..., Module],
    ) -> None:
        super().__init__(skeleton, in_channels)
        check_sizes(1, num_classes=num_classes)
        self.num_classes = num_classes
        if not channels or len(channels) != len(strides):
            raise ValueError(
                f"'channels' and 'strides' need one entry per block, got "
                f"{len(channels)} and {len(strides)}"
            )
        self.norm = BatchNorm1d(self.skeleton.num_joints * in_channels)
        self.blocks = ModuleList()
        width = in_channels
        for out_channels, stride in zip(channels, strides, strict=True):
            residual = len(self.blocks) > 0
            self.blocks.append(
                block(width, out_channels, stride=stride, residual=residual)
            )
            width = out_channels
        self.classify = Linear(width, num_classes)

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        return self._recognise(x, num_bodies)

    def _recognise(
        self, x: Tensor, num_bodies: Tensor | None, *graphs: Tensor
    ) -> SymGNNOutput:
        num_joints = self.skeleton.num_joints
        h = self.samples(x).transpose(2, 3).flatten(1, 2)  # [M, V*C, T]
        h = self.norm(h).unflatten(1, (num_joints, -1))
        h = h.transpose(2, 3).flatten(0, 1)  # [M*V, T, C]
        for block in self.blocks:
            h = block(h, *graphs)
        shared = h.mean(dim=1)  # [M*V, D]
        bodies = shared.unflatten(0, (-1, num_joints)).mean(dim=1)
        logits = self.classify(join_bodies(bodies, num_bodies, "mean"))
        return SymGNNOutput(logits, None, None, shared)

from collections.abc import Iterable

from torch import Tensor
from torch.nn import BatchNorm1d, Linear, Module, ModuleList

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline, join_bodies
from symgnn_pyg.nn.sizes import check_sizes


class JointClassifier(Baseline):
    r"""The part that ST-GCN, 2s-AGCN, AS-GCN and CTR-GCN share: batch
    normalisation of each channel of each joint, a stack of blocks, the mean
    over frames, joints and bodies, and a linear classifier.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions :math:`K`.
        in_channels: Size of a joint's pose :math:`C`.
        blocks: Modules from :math:`[M \cdot V, T, C]` to
            :math:`[M \cdot V, T_{\textrm{out}}, D]`.
        out_channels: The width :math:`D` of the last block.
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_classes: int,
        in_channels: int,
        *,
        blocks: Iterable[Module],
        out_channels: int,
    ) -> None:
        super().__init__(skeleton, in_channels)
        check_sizes(1, num_classes=num_classes)
        self.norm = BatchNorm1d(self.skeleton.num_joints * in_channels)
        self.blocks = ModuleList(blocks)
        self.classify = Linear(out_channels, num_classes)

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

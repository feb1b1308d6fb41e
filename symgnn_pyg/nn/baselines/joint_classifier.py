from collections.abc import Iterable

from torch import Tensor
from torch.nn import BatchNorm1d, Linear, Module, ModuleList

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline, join_bodies


class JointClassifier(Baseline):
    r"""The frame of ST-GCN, into which 2s-AGCN and AS-GCN put blocks of their
    own: batch normalisation of each channel of each joint, blocks, the mean
    over frames, joints and bodies, and one linear layer.

    Args:
        skeleton: The skeleton.
        num_classes: The number of actions :math:`K`.
        num_observed: The number of observed frames :math:`T`.
        num_future: Ignored.
        in_channels: Size of a joint's pose :math:`C`.
        blocks: Modules from :math:`[M \cdot V, T, C]` to
            :math:`[M \cdot V, T_{\textrm{out}}, D]`.
        width: The width :math:`D` of the last block.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        num_observed: int,
        num_future: int,
        in_channels: int,
        blocks: Iterable[Module],
        width: int,
    ) -> None:
        super().__init__(
            skeleton, num_classes, num_observed, num_future, in_channels
        )
        self.norm = BatchNorm1d(skeleton.num_joints * in_channels)
        self.blocks = ModuleList(blocks)
        self.classify = Linear(width, num_classes)

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies of each sample, of shape
                :math:`[N]`. (default: one each)
        """
        return self.recognise(x, num_bodies)

    def recognise(
        self, x: Tensor, num_bodies: Tensor | None, *graphs: Tensor
    ) -> SymGNNOutput:
        r"""The forward pass with further graphs :math:`[M, V, V]` for the
        blocks.
        """
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

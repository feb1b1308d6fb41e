from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, ModuleList
from torch_geometric.nn.inits import reset

from symgnn_pyg.nn.conv.jgtc_block import JGTCBlock
from symgnn_pyg.nn.conv.pgtc_block import PGTCBlock
from symgnn_pyg.nn.pool.joint_to_part import JointToPart
from symgnn_pyg.nn.pool.part_to_joint import PartToJoint
from symgnn_pyg.nn.pool.temporal_pool import TemporalPool
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class MultiScaleGCN(Module):
    r"""The multi-scale graph convolution network of the `"Symbiotic Graph
    Neural Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper (section 5.1.2), one
    branch of the backbone.

    The first JGTC block runs on joints only. The part scale starts from
    joint2part pooling of its output. JGTC and PGTC blocks then run in
    parallel. After the blocks in :obj:`fusion`, each scale is concatenated to
    the other, which doubles the width of both. At the end, the scales are
    summed and averaged over time.

    Args:
        skeleton: The skeleton.
        in_channels: Size of each input sample :math:`C`, or :obj:`-1` to infer
            it from the first batch.
        channels: The width of each block.
        strides: The temporal stride of each block, in frames.
        fusion: The blocks, counted from 0, after which the scales are fused.
        num_hops: The number of hops :math:`L`.
        lambda_: The weight :math:`\lambda` of the actional graph.
        kernel_size: The temporal kernel :math:`\tau`, in frames, odd.
        dropout: The dropout probability.
        use_structural: Whether the joint scale has structural graphs.
        use_actional: Whether the joint scale has actional graphs. If it has
            neither, there is no joint scale and all blocks are PGTC blocks.
        use_parts: Whether there is a part scale.
        num_observed: The number of frames :math:`T`, for a learned mean over
            time (:class:`~symgnn_pyg.nn.TemporalPool`) instead of the plain
            mean of the paper. (default: :obj:`None`)

    Raises:
        ValueError: If there is no graph at all, :obj:`channels` and
            :obj:`strides` differ in length, or :obj:`fusion` names a block
            that does not exist.

    Shapes:
        - **input:** node features :math:`[N \cdot V, T, C]`,
          actional graphs :math:`[N, V, V]`
        - **output:** node features :math:`[N \cdot V, D]`, where :math:`D` is
          :attr:`out_channels`
    """

    def __init__(
        self,
        skeleton: Skeleton | str,
        in_channels: int,
        channels: Sequence[int],
        *,
        strides: Sequence[int],
        fusion: Sequence[int],
        num_hops: int = 3,
        lambda_: float = 0.5,
        kernel_size: int = 5,
        dropout: float = 0.5,
        use_structural: bool = True,
        use_actional: bool = True,
        use_parts: bool = True,
        num_observed: int | None = None,
    ) -> None:
        super().__init__()
        skeleton = as_skeleton(skeleton)
        joint = use_structural or use_actional
        if not (joint or use_parts):
            raise ValueError(
                "At least one of 'use_structural', 'use_actional' and "
                "'use_parts' must be True"
            )
        if len(strides) != len(channels):
            raise ValueError(
                f"'strides' and 'channels' must have the same length, got "
                f"{tuple(strides)} and {tuple(channels)}"
            )
        both = joint and use_parts
        if len(channels) < 1 + both:
            raise ValueError(
                f"'channels' must hold at least {1 + both} widths, got "
                f"{tuple(channels)}"
            )
        if both and not set(fusion) <= set(range(1, len(channels))):
            raise ValueError(
                f"'fusion' must hold blocks from 1 to {len(channels) - 1}, "
                f"got {tuple(fusion)}"
            )
        self.fusion = frozenset(fusion if both else ())
        self.joint_blocks = ModuleList()
        self.part_blocks = ModuleList()
        width = in_channels
        for i, (out, stride) in enumerate(zip(channels, strides, strict=True)):
            block: dict[str, Any] = {
                "kernel_size": kernel_size,
                "stride": stride,
                "dropout": dropout,
                "residual": i > 0,
            }
            if joint:
                self.joint_blocks.append(
                    JGTCBlock(
                        width,
                        out,
                        skeleton,
                        num_hops=num_hops,
                        lambda_=lambda_,
                        use_structural=use_structural,
                        use_actional=use_actional,
                        **block,
                    )
                )
            if use_parts and (i > 0 or not joint):
                part_block = PGTCBlock(width, out, skeleton, **block)
                if joint:
                    # The masks of explainers belong to joints.
                    part_block.graph_conv.explain = False
                self.part_blocks.append(part_block)
            width = 2 * out if i in self.fusion else out
        self.out_channels = width
        self.joint_to_part = JointToPart(skeleton) if use_parts else None
        self.part_to_joint = PartToJoint(skeleton) if use_parts else None
        self.joint_pool: TemporalPool | None = None
        self.part_pool: TemporalPool | None = None
        if num_observed is not None:
            num_frames = num_observed
            for stride in strides:
                num_frames = -(-num_frames // stride)
            if joint:
                self.joint_pool = TemporalPool(num_frames, channels[-1])
            if use_parts:
                self.part_pool = TemporalPool(num_frames, channels[-1])

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)

    def forward(self, x: Tensor, actional: Tensor | None = None) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[N \cdot V, T, C]`.
            actional: The actional graphs, of shape :math:`[N, V, V]`.
        """
        if self.joint_to_part is None or self.part_to_joint is None:
            for block in self.joint_blocks:
                x = block(x, actional)
            return _pooled(x, self.joint_pool)
        if len(self.joint_blocks) == 0:
            x = self.joint_to_part(x)
            for block in self.part_blocks:
                x = block(x)
            return self.part_to_joint(_pooled(x, self.part_pool))
        first, *rest = self.joint_blocks
        joint = first(x, actional)
        part = self.joint_to_part(joint)
        pairs = zip(rest, self.part_blocks, strict=True)
        for i, (joint_block, part_block) in enumerate(pairs, start=1):
            joint, part = joint_block(joint, actional), part_block(part)
            if i == len(rest):
                # The mean over time commutes with fusion and is cheaper first.
                joint = _pooled(joint, self.joint_pool)
                part = _pooled(part, self.part_pool)
            if i in self.fusion:
                from_part = self.part_to_joint(part)
                from_joint = self.joint_to_part(joint)
                joint = torch.cat([joint, from_part], dim=-1)
                part = torch.cat([part, from_joint], dim=-1)
        return joint + self.part_to_joint(part)


def _pooled(x: Tensor, pool: TemporalPool | None) -> Tensor:
    return x.mean(dim=1) if pool is None else pool(x)

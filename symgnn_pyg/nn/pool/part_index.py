from collections.abc import Sequence

import torch
from torch import Tensor

from symgnn_pyg.nn.batch import check_skeleton_type
from symgnn_pyg.nn.fixed_buffers import FixedBuffers
from symgnn_pyg.skeleton import Skeleton


class PartIndex(FixedBuffers):
    r"""Computes the part of every joint in a batch of several skeletons."""

    joint_to_part: Tensor

    def __init__(self, skeletons: Sequence[Skeleton]) -> None:
        super().__init__()
        self.num_joints = [s.num_joints for s in skeletons]
        self.num_parts = [s.num_parts for s in skeletons]
        with torch.device("cpu"):
            joint_to_part = torch.cat([s.joint_to_part for s in skeletons])
        self.register_fixed("joint_to_part", joint_to_part)

    def forward(
        self,
        x: Tensor,
        skeleton_type: Sequence[int] | None,
        parts: bool = False,
    ) -> tuple[Tensor, int]:
        r"""Returns the index :math:`[\sum_n V_n]` and the number of parts.

        Raises:
            ValueError: If :obj:`skeleton_type` does not fit the skeletons or
                :obj:`x`.
        """
        skeleton_type = check_skeleton_type(skeleton_type, len(self.num_joints))
        sizes = self.num_parts if parts else self.num_joints
        expected = sum(sizes[kind] for kind in skeleton_type)
        if x.size(0) != expected:
            raise ValueError(
                f"Expected 'x' to have {expected} rows, one for each of the "
                f"{'parts' if parts else 'joints'} of the samples in "
                f"'skeleton_type', got {list(x.shape)}"
            )
        own = self.joint_to_part.split(self.num_joints)
        index, first = [], 0
        for kind in skeleton_type:
            index.append(own[kind] + first)
            first += self.num_parts[kind]
        return torch.cat(index) if index else own[0][:0], first

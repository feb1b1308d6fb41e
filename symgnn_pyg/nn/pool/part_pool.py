from collections.abc import Sequence

import torch
from torch import Tensor

from symgnn_pyg.nn.batch import as_skeletons, check_rows, check_skeleton_type
from symgnn_pyg.nn.fixed_buffers import FixedBuffers
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.typing import SkeletonLike


class PartPool(FixedBuffers):
    r"""The base class of layers between joints and parts: it knows the part of
    every joint of a skeleton, or of a batch of several skeletons.
    """

    joint_to_part: Tensor

    def __init__(self, skeleton: SkeletonLike) -> None:
        super().__init__()
        given = as_skeletons(skeleton)
        skeletons = [given] if isinstance(given, Skeleton) else given
        self.has_several = skeletons is given
        self.num_joints = [s.num_joints for s in skeletons]
        self.num_parts = [s.num_parts for s in skeletons]
        with torch.device("cpu"):
            joint_to_part = torch.cat([s.joint_to_part for s in skeletons])
        self.register_fixed("joint_to_part", joint_to_part)

    def _part_index(
        self, x: Tensor, skeleton_type: Sequence[int] | None, rows: str
    ) -> tuple[Tensor, int]:
        r"""The part of each joint in a batch :math:`[\sum_n V_n]`, and the
        number of parts. The :obj:`rows` of :obj:`x` are :obj:`"joints"` or
        :obj:`"parts"`.
        """
        skeleton_type = check_skeleton_type(skeleton_type, len(self.num_joints))
        sizes = self.num_joints if rows == "joints" else self.num_parts
        check_rows(x, [sizes[kind] for kind in skeleton_type], rows)
        parts_of = self.joint_to_part.split(self.num_joints)
        index, first = [], 0
        for kind in skeleton_type:
            index.append(parts_of[kind] + first)
            first += self.num_parts[kind]
        return torch.cat(index) if index else self.joint_to_part[:0], first

    def _sizes(self) -> list[str]:
        sizes = self.num_joints, self.num_parts
        return [str(s if self.has_several else s[0]) for s in sizes]

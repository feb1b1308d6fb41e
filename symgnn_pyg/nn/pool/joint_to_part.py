from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch_geometric.utils import scatter

from symgnn_pyg.nn.batch import check_no_skeleton_type, samples
from symgnn_pyg.nn.pool.part_pool import PartPool
from symgnn_pyg.typing import SkeletonLike


class JointToPart(PartPool):
    r"""The joint2part pooling of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.1.2): the mean of
    the features of a part's joints,

    .. math::
        \mathbf{y}_p = \frac{1}{|\mathcal{V}_p|} \sum_{i \in \mathcal{V}_p}
        \mathbf{x}_i

    Args:
        skeleton: The skeleton, or several.

    Shapes:
        - **input:** joint features :math:`[\sum_n V_n, *]`
        - **output:** part features :math:`[\sum_n V_{p,n}, *]`
    """

    share: Tensor

    def __init__(self, skeleton: SkeletonLike) -> None:
        super().__init__(skeleton)
        if not self.has_several:
            # The weight of each joint in the mean of each part, [V_p, V].
            member = one_hot(self._fixed["joint_to_part"]).t().double()
            self.register_fixed("share", member / member.sum(1, keepdim=True))

    def forward(
        self, x: Tensor, skeleton_type: Sequence[int] | None = None
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Joint features, of shape :math:`[\sum_n V_n, *]`.
            skeleton_type: For a layer of several skeletons, the index of the
                skeleton of each sample, as Python integers.

        Raises:
            ValueError: If the number of rows does not fit the skeleton or
                :obj:`skeleton_type`.
        """
        if self.has_several:
            index, num_parts = self._part_index(x, skeleton_type, "joints")
            return scatter(x, index, dim_size=num_parts, reduce="mean")
        check_no_skeleton_type(skeleton_type)
        x_per_sample = samples(x, self.num_joints[0], "joints")
        share = self.share.expand(x_per_sample.size(0), -1, -1)
        pooled = torch.bmm(share, x_per_sample.flatten(2))
        num_parts = pooled.size(0) * pooled.size(1)
        return pooled.reshape(num_parts, *x.shape[1:])

    def extra_repr(self) -> str:
        return " -> ".join(self._sizes())

from collections.abc import Sequence

from torch import Tensor

from symgnn_pyg.nn.batch import check_no_skeleton_type, samples
from symgnn_pyg.nn.pool.part_pool import PartPool


class PartToJoint(PartPool):
    r"""The part2joint matching of the `"Symbiotic Graph Neural Networks for
    3D Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.1.2): each joint
    gets a copy of its part's features,

    .. math::
        \mathbf{y}_i = \mathbf{x}_{p(i)}

    Args:
        skeleton: The skeleton, or several.

    Shapes:
        - **input:** part features :math:`[\sum_n V_{p,n}, *]`
        - **output:** joint features :math:`[\sum_n V_n, *]`
    """

    def forward(
        self, x: Tensor, skeleton_type: Sequence[int] | None = None
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Part features, of shape :math:`[\sum_n V_{p,n}, *]`.
            skeleton_type: For a layer of several skeletons, the index of the
                skeleton of each sample, as Python integers.

        Raises:
            ValueError: If the number of rows does not fit the skeleton or
                :obj:`skeleton_type`.
        """
        if self.has_several:
            index, _ = self._part_index(x, skeleton_type, "parts")
            return x.index_select(0, index)
        check_no_skeleton_type(skeleton_type)
        x = samples(x, self.num_parts[0], "parts")
        return x.index_select(1, self.joint_to_part).flatten(0, 1)

    def extra_repr(self) -> str:
        return " -> ".join(reversed(self._sizes()))

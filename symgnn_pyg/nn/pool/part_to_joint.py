from torch import Tensor
from torch.nn import Module

from symgnn_pyg.nn.pool.rows import samples
from symgnn_pyg.skeleton import Skeleton


class PartToJoint(Module):
    r"""The part2joint matching of the `"Symbiotic Graph Neural Networks for
    3D Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.1.2): each joint
    gets a copy of its part's features,

    .. math::
        \mathbf{y}_i = \mathbf{x}_{p(i)}

    Args:
        skeleton: The skeleton.

    Shapes:
        - **input:** part features :math:`[N \cdot V_p, *]`
        - **output:** joint features :math:`[N \cdot V, *]`
    """

    joint_to_part: Tensor

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        self.num_parts = skeleton.num_parts
        self.register_buffer(
            "joint_to_part", skeleton.joint_to_part, persistent=False
        )

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Part features, of shape :math:`[N \cdot V_p, *]`.

        Raises:
            ValueError: If the rows are no multiple of :math:`V_p`.
        """
        x = samples(x, self.num_parts, "parts")
        return x.index_select(1, self.joint_to_part).flatten(0, 1)

    def extra_repr(self) -> str:
        return f"{self.num_parts} -> {self.joint_to_part.numel()}"

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import one_hot

from symgnn_pyg.nn.pool.rows import samples
from symgnn_pyg.skeleton import Skeleton


class JointToPart(Module):
    r"""The joint2part pooling of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.1.2): the mean of
    the features of a part's joints,

    .. math::
        \mathbf{y}_p = \frac{1}{|\mathcal{V}_p|} \sum_{i \in \mathcal{V}_p}
        \mathbf{x}_i

    Args:
        skeleton: The skeleton.

    Shapes:
        - **input:** joint features :math:`[N \cdot V, *]`
        - **output:** part features :math:`[N \cdot V_p, *]`
    """

    share: Tensor

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        member = one_hot(skeleton.joint_to_part, skeleton.num_parts).t().float()
        share = member / member.sum(dim=1, keepdim=True)  # [V_p, V]
        self.register_buffer("share", share, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Joint features, of shape :math:`[N \cdot V, *]`.

        Raises:
            ValueError: If the rows are no multiple of :math:`V`.
        """
        x_per_sample = samples(x, self.share.size(1), "joints")
        share = self.share.expand(x_per_sample.size(0), -1, -1)
        pooled = torch.bmm(share, x_per_sample.flatten(2))
        return pooled.reshape(-1, *x.shape[1:])

    def extra_repr(self) -> str:
        return f"{self.share.size(1)} -> {self.share.size(0)}"

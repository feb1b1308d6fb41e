import torch

from symgnn_pyg.nn.batch import per_skeleton
from symgnn_pyg.nn.conv.skeleton_graph_conv import SkeletonGraphConv
from symgnn_pyg.typing import SkeletonLike


class PartGraphConv(SkeletonGraphConv):
    r"""The part-scale graph convolution (PGC), equation (7) of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper:

    .. math::
        \mathbf{Y}_t = \left( \mathbf{M}_p \odot \mathbf{D}_p^{-1}
        \mathbf{A}_{\textrm{part}} \right) \mathbf{X}_t \mathbf{W}_p

    where :math:`\mathbf{A}_{\textrm{part}}` is the graph of the body parts with
    self-loops and :math:`\mathbf{M}_p` a trainable mask, initialised to ones.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton whose parts are the nodes, or several skeletons
            with separate masks and shared weights, or :obj:`None` for a layer
            without a mask that takes edges.

    Shapes:
        - **input:** part features :math:`[\sum_n V_{p,n}, *, C_{in}]`
        - **output:** part features :math:`[\sum_n V_{p,n}, *, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike | None = None,
    ) -> None:
        adjacency = per_skeleton(
            skeleton, lambda s: s.part_adjacency(torch.double).unsqueeze(0)
        )
        super().__init__(in_channels, out_channels, adjacency=adjacency)

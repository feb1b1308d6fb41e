import torch

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn.batch import per_skeleton
from symgnn_pyg.nn.conv.skeleton_graph_conv import SkeletonGraphConv
from symgnn_pyg.typing import SkeletonLike


class StructuralGraphConv(SkeletonGraphConv):
    r"""The structural graph convolution (SGC), equation (4) of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper:

    .. math::
        \mathbf{Y}_t = \sum_{l=1}^{L} \left( \mathbf{M}_l \odot
        \mathbf{\tilde{A}}^l \right) \mathbf{X}_t
        \mathbf{W}_{\textrm{str}}^{(l)}

    where :math:`\mathbf{\tilde{A}} = \mathbf{D}^{-1} \mathbf{A}` is the
    row-normalised skeleton graph with self-loops and :math:`\mathbf{M}_l` a
    trainable mask, initialised to ones.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.
        skeleton: The skeleton, or several skeletons with separate masks and
            shared weights, or :obj:`None` for a layer without masks that takes
            edges (see :func:`~symgnn_pyg.nn.hop_edges`).
        num_hops: The number of hops :math:`L`. (default: :obj:`3`)

    Shapes:
        - **input:** node features :math:`[\sum_n V_n, *, C_{in}]`
        - **output:** node features :math:`[\sum_n V_n, *, C_{out}]`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        skeleton: SkeletonLike | None = None,
        *,
        num_hops: int = 3,
    ) -> None:
        check_sizes(1, num_hops=num_hops)
        adjacency = per_skeleton(
            skeleton, lambda s: s.hop_powers(num_hops, torch.double)
        )
        super().__init__(
            in_channels, out_channels, num_hops, adjacency=adjacency
        )

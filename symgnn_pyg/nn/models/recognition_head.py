from torch import Tensor
from torch.nn import Linear, Module
from torch_geometric.nn import MLP

from symgnn_pyg.nn.pool.rows import samples
from symgnn_pyg.skeleton import Skeleton


class RecognitionHead(Module):
    r"""The action-recognition head of the `"Symbiotic Graph Neural Networks
    for 3D Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.2): a fusing MLP on
    each joint, the mean over joints, one linear layer,

    .. math::
        \mathbf{z} = \mathbf{W} \, \frac{1}{V} \sum_{i=1}^{V}
        f_{\textrm{recg}}(\mathbf{H}_i) + \mathbf{b}

    Args:
        in_channels: Size of each joint's features.
        num_classes: The number of actions.
        skeleton: The skeleton.
        hidden_channels: The width of the MLP. (default: :obj:`256`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Shapes:
        - **input:** joint features :math:`[N \cdot V, D]`
        - **output:** class scores before softmax :math:`[N, K]`
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        skeleton: Skeleton,
        hidden_channels: int = 256,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.num_joints = skeleton.num_joints
        self.fuse = MLP(
            [in_channels, hidden_channels, hidden_channels],
            dropout=float(dropout),
            plain_last=False,
        )
        self.classify = Linear(hidden_channels, num_classes)

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        self.fuse.reset_parameters()
        self.classify.reset_parameters()

    def forward(self, h: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            h: Joint features, of shape :math:`[N \cdot V, D]`.
        """
        fused = samples(self.fuse(h), self.num_joints, "joints")
        return self.classify(fused.mean(dim=1))

from torch import Tensor
from torch.nn import Linear, Module
from torch_geometric.nn import MLP

from symgnn_pyg.nn.batch import join_bodies, samples
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class RecognitionHead(Module):
    r"""The action-recognition head of the `"Symbiotic Graph Neural Networks
    for 3D Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper (section 5.2): an MLP on each
    joint, the mean over the joints of all bodies in a sample, and a linear
    layer,

    .. math::
        \mathbf{z} = \mathbf{W} \, \frac{1}{B V} \sum_{i=1}^{B V}
        f_{\textrm{recg}}(\mathbf{H}_i) + \mathbf{b}

    Args:
        in_channels: Size of the features of each joint, or :obj:`-1` to infer
            it from the first batch.
        num_classes: The number of actions.
        skeleton: The skeleton.
        hidden_channels: The width of the MLP. (default: :obj:`256`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Shapes:
        - **input:** joint features :math:`[M \cdot V, D]` of the :math:`M`
          bodies of :math:`N` samples
        - **output:** class scores before the softmax :math:`[N, K]`
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        skeleton: Skeleton | str,
        *,
        hidden_channels: int = 256,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        skeleton = as_skeleton(skeleton)
        self.num_joints = skeleton.num_joints
        self.fuse = MLP(
            [in_channels, hidden_channels, hidden_channels],
            dropout=float(dropout),
            plain_last=False,
        )
        self.classify = Linear(hidden_channels, num_classes)

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        self.fuse.reset_parameters()
        self.classify.reset_parameters()

    def forward(self, h: Tensor, num_bodies: Tensor | None = None) -> Tensor:
        r"""Runs the forward pass.

        Args:
            h: Joint features, of shape :math:`[M \cdot V, D]`.
            num_bodies: The number of bodies in each sample, of shape
                :math:`[N]`. (default: one body per sample)
        """
        bodies = samples(self.fuse(h), self.num_joints, "joints").mean(dim=1)
        return self.classify(join_bodies(bodies, num_bodies, "mean"))

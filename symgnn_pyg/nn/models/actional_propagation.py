from collections.abc import Sequence

from torch import Tensor
from torch.nn import BatchNorm1d, Linear
from torch_geometric.nn import MLP, MessagePassing
from torch_geometric.nn.inits import reset

from symgnn_pyg import ops
from symgnn_pyg.nn.batch import all_pairs, group_sizes, join, split
from symgnn_pyg.nn.conv.hooks import has_hooks, has_message_hooks
from symgnn_pyg.nn.models.pair_norm import normalise_pairs


class ActionalPropagation(MessagePassing):
    r"""One iteration of the message passing in the actional graph inference
    module, equation (1) of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathbf{q}_{i,j} &= f_e([\mathbf{h}_i \, \Vert \, \mathbf{h}_j]) \\
        \mathbf{h}_i^{\prime} &= f_v\left( \frac{1}{|\mathcal{N}(i)|}
        \sum_{j \in \mathcal{N}(i)} \mathbf{q}_{i,j} \right)

    The paper does not specify the layers of :math:`f_e`. Our choice is
    Linear - BatchNorm - ReLU - Linear, since its parts need no tensor of all
    pairs: the first layer is :math:`\mathbf{W} [\mathbf{h}_i \, \Vert \,
    \mathbf{h}_j] = \mathbf{W}_a \mathbf{h}_i + \mathbf{W}_b \mathbf{h}_j`,
    once per joint; the statistics of the pairs follow from those of the two
    terms; and the last layer commutes with the mean, so it is applied after it.

    Args:
        channels: Size of each joint's features :math:`D`.
        dropout: The dropout probability of :math:`f_v`. (default: :obj:`0.5`)
        plain_last: If set to :obj:`False`, :math:`f_e` ends with
            BatchNorm - ReLU, as :math:`f_v` does: the other reading of the
            paper, many times slower. (default: :obj:`True`)
        self_pairs: If set to :obj:`True`, the mean over all pairs includes
            :math:`j = i`. In the paper, it runs over the other joints.
            (default: :obj:`False`)

    Shapes:
        - **input:** joint features :math:`[N \cdot V, D]`
        - **output:** joint features :math:`[N \cdot V, D]`
    """

    def __init__(
        self,
        channels: int,
        dropout: float = 0.5,
        *,
        plain_last: bool = True,
        self_pairs: bool = False,
    ) -> None:
        super().__init__(aggr="mean", node_dim=0)
        self.self_pairs = self_pairs
        self.lin_i = Linear(channels, channels)
        self.lin_j = Linear(channels, channels, bias=False)
        self.norm = BatchNorm1d(channels)
        self.lin_out = Linear(channels, channels)
        self.norm_out = None if plain_last else BatchNorm1d(channels)
        self.joint_mlp = MLP(
            [channels] * 3, dropout=float(dropout), plain_last=False
        )

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        super().reset_parameters()
        for module in self.children():
            reset(module)

    def forward(
        self,
        h: Tensor,
        num_joints: int | Sequence[int] | None = None,
        edge_index: Tensor | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            h: Joint features, of shape :math:`[N \cdot V, D]`.
            num_joints: :math:`V`, or the number of joints of each sample, to
                pass messages between all joints of a sample. Neighbouring
                samples of equal size are computed together.
            edge_index: The edges :math:`[2, |E|]` to pass messages along,
                instead of :obj:`num_joints`.

        Raises:
            ValueError: If neither or both of :obj:`num_joints` and
                :obj:`edge_index` are given, or the rows of :obj:`h` are not
                the joints of the samples.
        """
        if (num_joints is None) == (edge_index is None):
            raise ValueError(
                "Expected either 'num_joints' or 'edge_index', got "
                f"{'neither' if edge_index is None else 'both'}"
            )
        a, b = self.lin_i(h), self.lin_j(h)
        if num_joints is not None:
            groups = group_sizes(h, num_joints)
            if self._needs_messages():
                edge_index = all_pairs(groups, h.device, self.self_pairs)
        if edge_index is None:
            # Messages along the edges of complete graphs would give the same,
            # at many times the time and memory (`python -m benchmarks.agim`).
            a, b = normalise_pairs(self.norm, a, b, groups, self.self_pairs)
            terms = zip(split(a, groups), split(b, groups), strict=True)
            mean = join([ops.pair_mean(*t, self.self_pairs) for t in terms])
        else:
            # propagate_type: (a: Tensor, b: Tensor)
            mean = self.propagate(edge_index, a=a, b=b)
        if self.norm_out is None:
            mean = self.lin_out(mean)
        return self.joint_mlp(mean)

    def message(self, a_i: Tensor, b_j: Tensor) -> Tensor:
        q = self.norm(a_i + b_j).relu()
        if self.norm_out is not None:
            q = self.norm_out(self.lin_out(q)).relu()
        return q

    def _needs_messages(self) -> bool:
        r"""Whether the tensor of all pairs is needed: the normalisation is
        replaced, a hook is registered, or the last layer of :math:`f_e` is not
        linear.
        """
        return (
            self.norm_out is not None
            or type(self.norm) is not BatchNorm1d
            or has_hooks(self.norm)
            or has_message_hooks(self)
        )

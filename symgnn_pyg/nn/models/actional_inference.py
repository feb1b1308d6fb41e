import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Linear, Module, ModuleList
from torch_geometric.nn import MLP, MessagePassing
from torch_geometric.nn.inits import reset

from symgnn_pyg.nn.pool.rows import samples
from symgnn_pyg.skeleton import Skeleton


class ActionalPropagation(MessagePassing):
    r"""One iteration of the message passing in the actional graph inference
    module, equation (1) of the `"Symbiotic Graph Neural Networks for 3D
    Skeleton-based Human Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathbf{q}_{i,j} &= f_e([\mathbf{h}_i \, \Vert \, \mathbf{h}_j]) \\
        \mathbf{h}_i^{\prime} &= f_v\left( \frac{1}{|\mathcal{N}(i)|}
        \sum_{j \in \mathcal{N}(i)} \mathbf{q}_{i,j} \right)

    The paper leaves the layers of :math:`f_e` open: here it is
    Linear - BatchNorm - ReLU - Linear. Its first layer is computed once a
    joint, :math:`\mathbf{W} [\mathbf{h}_i \, \Vert \, \mathbf{h}_j] =
    \mathbf{W}_a \mathbf{h}_i + \mathbf{W}_b \mathbf{h}_j`, and its last one
    once a joint behind the mean, with which it commutes.

    Args:
        channels: Size of each joint's features :math:`D`.
        dropout: The dropout probability of :math:`f_v`.

    Shapes:
        - **input:** joint features :math:`[N \cdot V, D]`
        - **output:** joint features :math:`[N \cdot V, D]`
    """

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__(aggr="mean", node_dim=0)
        self.lin_i = Linear(channels, channels)
        self.lin_j = Linear(channels, channels, bias=False)
        self.norm = BatchNorm1d(channels)
        self.lin_out = Linear(channels, channels)
        self.joint_mlp = MLP([channels] * 3, dropout=dropout, plain_last=False)

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        super().reset_parameters()
        for module in self.children():
            reset(module)

    def forward(
        self,
        h: Tensor,
        num_joints: int | None = None,
        edge_index: Tensor | None = None,
    ) -> Tensor:
        r"""Runs the forward pass.

        Args:
            h: Joint features, of shape :math:`[N \cdot V, D]`.
            num_joints: :math:`V`, to pass messages between all different
                joints of a sample.
            edge_index: Instead of :obj:`num_joints`: the edges
                :math:`[2, |E|]` to pass messages along.
        """
        a, b = self.lin_i(h), self.lin_j(h)
        if edge_index is None:
            if num_joints is None:
                raise ValueError("Either 'num_joints' or 'edge_index' is due")
            mean = self._all_pairs(a, b, num_joints)
        else:
            # propagate_type: (a: Tensor, b: Tensor)
            mean = self.propagate(edge_index, a=a, b=b)
        return self.joint_mlp(self.lin_out(mean))

    def message(self, a_i: Tensor, b_j: Tensor) -> Tensor:
        return self._activate(a_i + b_j)

    def _activate(self, pair: Tensor) -> Tensor:
        return self.norm(pair).relu()

    def _all_pairs(self, a: Tensor, b: Tensor, num_joints: int) -> Tensor:
        if num_joints == 1:
            return torch.zeros_like(a)
        # The complete graph needs no scatter: joint i's partners are a row.
        joint = torch.arange(num_joints, device=a.device)
        partner = torch.arange(num_joints - 1, device=a.device)
        other = partner + (partner >= joint.unsqueeze(1)).long()  # [V, V - 1]
        a = a.view(-1, num_joints, 1, a.size(-1))
        b = b.view(-1, num_joints, b.size(-1))[:, other]  # [N, V, V - 1, D]
        pairs = self._activate((a + b).flatten(0, 2)).view_as(b)
        return pairs.mean(dim=2).flatten(0, 1)


class ActionalGraphInference(Module):
    r"""The actional graph inference module (AGIM) of the `"Symbiotic Graph
    Neural Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper. From the observed
    trajectory :math:`\mathbf{p}_i \in \mathbb{R}^{T C}` of each joint it
    infers, for each sample, which joints act on which. With
    :math:`\mathbf{h}_i = f_v^{(0)}(\mathbf{p}_i)`, updated
    :obj:`num_iterations` times by equation (1)
    (:class:`~symgnn_pyg.nn.ActionalPropagation`), equation (2) gives

    .. math::
        \mathbf{A}_{\textrm{act}}[i, j] = \textrm{softmax}_j \left(
        f_{\textrm{emb}}(\mathbf{h}_i)^{\top} g_{\textrm{emb}}(\mathbf{h}_j)
        \right)

    Args:
        in_channels: Size of a trajectory, :math:`T \cdot C`.
        skeleton: The skeleton.
        hidden_channels: The width :math:`D`. (default: :obj:`128`)
        num_iterations: How often equation (1) is applied.
            (default: :obj:`2`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Shapes:
        - **input:** observed sequences :math:`[N \cdot V, T, C]`
        - **output:** actional graphs :math:`[N, V, V]`; each row sums to one
    """

    def __init__(
        self,
        in_channels: int,
        skeleton: Skeleton,
        hidden_channels: int = 128,
        num_iterations: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.num_joints = skeleton.num_joints
        self.joint_mlp = MLP(
            [in_channels, hidden_channels, hidden_channels],
            dropout=dropout,
            plain_last=False,
        )
        self.propagations = ModuleList(
            ActionalPropagation(hidden_channels, dropout)
            for _ in range(num_iterations)
        )
        self.embed_target = Linear(hidden_channels, hidden_channels)
        self.embed_source = Linear(hidden_channels, hidden_channels)

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        self.joint_mlp.reset_parameters()
        reset(self.propagations)
        self.embed_target.reset_parameters()
        self.embed_source.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[N \cdot V, T, C]`.

        Raises:
            ValueError: If the rows are no multiple of :math:`V`, or
                :math:`T \cdot C` is not :obj:`in_channels`.
        """
        samples(x, self.num_joints, "joints")
        trajectory = x.flatten(1)
        if trajectory.size(1) != self.in_channels:
            raise ValueError(
                f"Expected trajectories of {self.in_channels} numbers "
                f"(frames times channels), got 'x' of shape {list(x.shape)}"
            )
        h = self.joint_mlp(trajectory)
        for propagation in self.propagations:
            h = propagation(h, self.num_joints)
        target = samples(self.embed_target(h), self.num_joints, "joints")
        source = samples(self.embed_source(h), self.num_joints, "joints")
        return torch.matmul(target, source.mT).softmax(dim=-1)

    def extra_repr(self) -> str:
        return f"{self.in_channels}, num_joints={self.num_joints}"

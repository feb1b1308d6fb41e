from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Linear, Module, ModuleList
from torch_geometric.nn import MLP
from torch_geometric.nn.inits import reset

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn.batch import (
    as_skeletons,
    check_no_skeleton_type,
    check_rows,
    check_skeleton_type,
    check_tensor,
    group_sizes,
    samples,
    split,
)
from symgnn_pyg.nn.in_channels import set_in_channels
from symgnn_pyg.nn.models.actional_propagation import ActionalPropagation
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.typing import SkeletonLike


class ActionalGraphInference(Module):
    r"""The actional graph inference module (AGIM) of the `"Symbiotic Graph
    Neural Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper. For each sample, it
    infers which joints act on which from their observed trajectories
    :math:`\mathbf{p}_i \in \mathbb{R}^{T C}`. Starting from
    :math:`\mathbf{h}_i = f_v^{(0)}(\mathbf{p}_i)`, equation (1)
    (:class:`~symgnn_pyg.nn.ActionalPropagation`) is applied
    :obj:`num_iterations` times, and then equation (2):

    .. math::
        \mathbf{A}_{\textrm{act}}[i, j] = \textrm{softmax}_j \left(
        f_{\textrm{emb}}(\mathbf{h}_i)^{\top} g_{\textrm{emb}}(\mathbf{h}_j)
        \right)

    Args:
        in_channels: Size of a trajectory, :math:`T \cdot C`, or :obj:`-1` to
            infer it from the first batch.
        skeleton: The skeleton, or several skeletons that share all weights,
            for batches in which each sample has one of them; or for another
            graph its number of nodes :math:`V`.
        hidden_channels: The width :math:`D`. (default: :obj:`128`)
        num_iterations: The number of times equation (1) is applied.
            (default: :obj:`2`)
        dropout: The dropout probability. (default: :obj:`0.5`)
        plain_last: If set to :obj:`False`, :math:`f_e` of equation (1) ends
            with batch normalisation and ReLU. The paper does not specify
            this. (default: :obj:`True`)
        self_pairs: If set to :obj:`True`, the mean of equation (1) includes
            :math:`j = i`. In the paper, it runs over the other joints.
            (default: :obj:`False`)

    Shapes:
        - **input:** observed sequences :math:`[N \cdot V, T, C]`
        - **output:** actional graphs :math:`[N, V, V]`, or a tuple of
          :math:`N` graphs :math:`[V_n, V_n]` for several skeletons; each row
          sums to one
    """

    def __init__(
        self,
        in_channels: int,
        skeleton: SkeletonLike | int,
        *,
        hidden_channels: int = 128,
        num_iterations: int = 2,
        dropout: float = 0.5,
        plain_last: bool = True,
        self_pairs: bool = False,
    ) -> None:
        super().__init__()
        set_in_channels(
            self, in_channels, "joint_mlp.lins.0.weight", start_dim=1
        )
        check_sizes(1, hidden_channels=hidden_channels)
        self.num_joints: int | tuple[int, ...]
        if isinstance(skeleton, int):
            check_sizes(1, skeleton=skeleton)
            self.num_joints = skeleton
        elif isinstance(given := as_skeletons(skeleton), Skeleton):
            self.num_joints = given.num_joints
        else:
            self.num_joints = tuple(one.num_joints for one in given)
        self.joint_mlp = MLP(
            [in_channels, hidden_channels, hidden_channels],
            dropout=float(dropout),
            plain_last=False,
        )
        self.propagations = ModuleList(
            ActionalPropagation(
                hidden_channels,
                dropout=dropout,
                plain_last=plain_last,
                self_pairs=self_pairs,
            )
            for _ in range(num_iterations)
        )
        self.embed_target = Linear(hidden_channels, hidden_channels)
        self.embed_source = Linear(hidden_channels, hidden_channels)

    def initialize_parameters(self, in_channels: int) -> None:
        # The MLP creates its weights, but does not update its list of channels.
        self.joint_mlp.channel_list[0] = in_channels

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        for module in self.children():
            reset(module)

    def forward(
        self, x: Tensor, skeleton_type: Sequence[int] | None = None
    ) -> Tensor | tuple[Tensor, ...]:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[N \cdot V, T, C]`, or
                :math:`[\sum_n V_n, T, C]` for several skeletons.
            skeleton_type: For several skeletons, the index of the skeleton of
                each sample, as Python integers.

        Raises:
            ValueError: If the number of rows does not fit the skeletons,
                :math:`T \cdot C` is not :obj:`in_channels`, or
                :obj:`skeleton_type` is missing, superfluous or out of range.
        """
        check_tensor(x)
        trajectory = x.flatten(1)
        if trajectory.size(1) != self.in_channels:
            raise ValueError(
                f"Expected 'x' of shape [N * V, T, C] with T * C = "
                f"{self.in_channels} ('in_channels'), got {list(x.shape)}"
            )
        if isinstance(self.num_joints, int):
            check_no_skeleton_type(skeleton_type)
            samples(x, self.num_joints, "joints")
            return self._infer(trajectory, self.num_joints)[0]
        skeleton_type = check_skeleton_type(skeleton_type, len(self.num_joints))
        sizes = [self.num_joints[kind] for kind in skeleton_type]
        check_rows(x, sizes, "joints")
        return self._infer_unequal(trajectory, sizes)

    def _infer_unequal(
        self, trajectory: Tensor, sizes: Sequence[int]
    ) -> tuple[Tensor, ...]:
        if len(sizes) == 0:
            return ()
        # Sort samples by size to process equal sizes together, and restore
        # their order at the end.
        order = sorted(range(len(sizes)), key=sizes.__getitem__)
        parts = trajectory.split(list(sizes))
        trajectory = torch.cat([parts[n] for n in order])
        groups = self._infer(trajectory, [sizes[n] for n in order])
        graphs = [graph for group in groups for graph in group.unbind()]
        found = dict(zip(order, graphs, strict=True))
        return tuple(found[n] for n in range(len(sizes)))

    def _infer(
        self, trajectory: Tensor, num_joints: int | Sequence[int]
    ) -> list[Tensor]:
        h = self.joint_mlp(trajectory)
        for propagation in self.propagations:
            h = propagation(h, num_joints)
        groups = group_sizes(h, num_joints)
        targets = split(self.embed_target(h), groups)
        sources = split(self.embed_source(h), groups)
        return [
            torch.matmul(target, source.mT).softmax(dim=-1)
            for target, source in zip(targets, sources, strict=True)
        ]

    def extra_repr(self) -> str:
        return f"{self.in_channels}, num_joints={self.num_joints}"

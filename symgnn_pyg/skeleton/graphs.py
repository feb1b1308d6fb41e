"""The graphs of a skeleton as tensors."""

from collections.abc import Sequence

import torch
from torch import Tensor

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.skeleton.checks import Pair
from symgnn_pyg.skeleton.dual import bone_pairs


class SkeletonGraphs:
    r"""The graphs of a :class:`~symgnn_pyg.Skeleton`, computed from its joints,
    bones, links and parts.
    """

    joints: tuple[str, ...]
    bones: tuple[Pair, ...]
    links: tuple[Pair, ...]
    parts: tuple[tuple[str, tuple[int, ...]], ...]
    part_bones: tuple[Pair, ...]

    @property
    def edge_index(self) -> Tensor:
        r"""Bones and links in both directions, without self-loops, of shape
        :math:`[2, |E|]`.
        """
        return _both_directions(self.bones + self.links)

    @property
    def part_edge_index(self) -> Tensor:
        r"""Neighbouring parts in both directions, without self-loops, of
        shape :math:`[2, |E_p|]`.
        """
        return _both_directions(self.part_bones)

    @property
    def bone_index(self) -> Tensor:
        r"""The bones as child joints (row 0) and parent joints (row 1), of
        shape :math:`[2, V_b]`.
        """
        return torch.tensor(self.bones, dtype=torch.long).view(-1, 2).t()

    @property
    def bone_edge_index(self) -> Tensor:
        r"""Neighbouring bones in both directions, the edges of :meth:`dual`,
        of shape :math:`[2, |E_b|]`.
        """
        following, others = bone_pairs(self)
        return _both_directions(following + others)

    @property
    def joint_to_part(self) -> Tensor:
        r"""The part of each joint, of shape :math:`[V]`."""
        part_of = torch.empty(len(self.joints), dtype=torch.long)
        for part, (_, joints) in enumerate(self.parts):
            part_of[list(joints)] = part
        return part_of

    def hop_powers(
        self, num_hops: int, dtype: torch.dtype | None = None
    ) -> Tensor:
        r"""The powers :math:`\tilde{A}^1, \ldots, \tilde{A}^L` of the
        row-normalised adjacency matrix with self-loops
        :math:`\tilde{A} = D^{-1} A`, of shape :math:`[L, V, V]`.

        Args:
            num_hops: The number of hops :math:`L`, at least 1.
            dtype: The type of the numbers. (default: that of torch)

        Raises:
            ValueError: If :obj:`num_hops` is smaller than 1.
        """
        check_sizes(1, num_hops=num_hops)
        adjacency = _normalised(self.edge_index, len(self.joints))
        powers = [adjacency]
        while len(powers) < num_hops:
            powers.append(adjacency @ powers[-1])
        return torch.stack(powers).to(dtype or torch.get_default_dtype())

    def part_adjacency(self, dtype: torch.dtype | None = None) -> Tensor:
        r"""The row-normalised adjacency matrix of the parts with self-loops
        :math:`D_p^{-1} A_p`, of shape :math:`[V_p, V_p]`.

        Args:
            dtype: The type of the numbers. (default: that of torch)
        """
        adjacency = _normalised(self.part_edge_index, len(self.parts))
        return adjacency.to(dtype or torch.get_default_dtype())


def _both_directions(pairs: Sequence[tuple[int, int]]) -> Tensor:
    edges = torch.tensor(pairs, dtype=torch.long).view(-1, 2).t()
    return torch.cat([edges, edges.flip(0)], dim=1)


def _normalised(edge_index: Tensor, size: int) -> Tensor:
    adjacency = torch.eye(size, dtype=torch.double)
    adjacency[edge_index[0], edge_index[1]] = 1.0
    return adjacency / adjacency.sum(dim=1, keepdim=True)

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import ModuleList, Parameter
from torch.nn.init import ones_

from symgnn_pyg.nn.fixed_buffers import FixedBuffers


class MaskedGraph(FixedBuffers):
    r"""Fixed graphs :math:`\mathbf{A}_k` with a trainable element-wise mask
    :math:`\mathbf{M}_k \odot \mathbf{A}_k`, initialised to ones.

    Args:
        adjacency: The graphs, of shape :math:`[K, V, V]`.
    """

    adjacency: Tensor

    def __init__(self, adjacency: Tensor) -> None:
        super().__init__()
        self.register_fixed("adjacency", adjacency)
        self.mask = Parameter(torch.empty(adjacency.shape))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        ones_(self.mask)

    def forward(self) -> tuple[Tensor, ...]:
        r"""The :math:`K` masked graphs."""
        return (self.mask * self.adjacency).unbind()

    def extra_repr(self) -> str:
        return f"{list(self.adjacency.shape)}"


class MaskedGraphs(ModuleList):
    r"""The masked graphs of several skeletons."""

    def __init__(self, adjacencies: Sequence[Tensor]) -> None:
        super().__init__(map(MaskedGraph, adjacencies))

    def forward(self, skeleton_type: Sequence[int]) -> list[list[Tensor]]:
        r"""For each of the :math:`K` graphs its matrix in each sample."""
        masked = [module() for module in self.children()]
        by_graph = zip(*masked, strict=True)
        return [[graph[kind] for kind in skeleton_type] for graph in by_graph]

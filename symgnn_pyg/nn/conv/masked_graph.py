import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.init import ones_


class MaskedGraph(Module):
    r"""Fixed graphs :math:`\mathbf{A}_k` with a trainable element-wise mask
    :math:`\mathbf{M}_k \odot \mathbf{A}_k`, initialised to ones.

    Args:
        adjacency: The graphs, of shape :math:`[K, V, V]`.
    """

    adjacency: Tensor

    def __init__(self, adjacency: Tensor) -> None:
        super().__init__()
        self.register_buffer("adjacency", adjacency, persistent=False)
        self.mask = Parameter(torch.empty_like(adjacency))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        ones_(self.mask)

    def forward(self) -> tuple[Tensor, ...]:
        r"""The :math:`K` masked graphs."""
        return (self.mask * self.adjacency).unbind()

    def extra_repr(self) -> str:
        return f"{list(self.adjacency.shape)}"

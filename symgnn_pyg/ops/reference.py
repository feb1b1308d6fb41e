import torch
from torch import Tensor

from symgnn_pyg.ops.equal_sizes import equal_sizes


@equal_sizes
def graph_mix_reference(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""The formula of :func:`~symgnn_pyg.ops.graph_mix`, word for word."""
    return torch.einsum("nkij,njpc,kcd->nipd", graphs, x, weight)

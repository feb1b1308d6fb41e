from collections.abc import Sequence

import torch
from torch import Tensor


def graph_mix_reference(
    x: Tensor, graphs: Sequence[Tensor], weight: Tensor
) -> Tensor:
    r"""The formula of :func:`~symgnn_pyg.ops.graph_mix`, word for word."""
    num_joints = graphs[0].size(-1)
    x = x.reshape(-1, num_joints, *x.shape[1:])  # [N, V, *, C]
    out = x.new_zeros(*x.shape[:-1], weight.size(-1))
    for graph, w in zip(graphs, weight, strict=True):
        graph = graph.expand(x.size(0), -1, -1)
        out = out + torch.einsum("nij,nj...c,cd->ni...d", graph, x, w)
    return out.flatten(0, 1)

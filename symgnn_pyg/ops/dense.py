from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor


def graph_mix_dense(
    x: Tensor, graphs: Sequence[Tensor], weight: Tensor
) -> Tensor:
    r"""One small matrix product and one accumulating matrix product a graph,
    on node-major memory, without a copy or a permute.
    """
    num_joints, out_channels = graphs[0].size(-1), weight.size(-1)
    num_samples = x.size(0) // num_joints
    in_channels = x.size(-1)
    shape = (num_samples, num_joints, prod(x.shape[1:]))
    samples = x.reshape(shape)  # [N, V, T*C]
    out: Tensor | None = None
    for graph, w in zip(graphs, weight, strict=True):
        # Mixing first is the cheaper order wherever V < C_out. Expanding a
        # shared graph costs nothing; matmul would transpose the features.
        graph = graph.expand(num_samples, num_joints, num_joints)
        mixed = torch.bmm(graph, samples).view(-1, in_channels)
        out = mixed @ w if out is None else torch.addmm(out, mixed, w)
    assert out is not None
    return out.view(*x.shape[:-1], out_channels)

r"""The formulas of :func:`~symgnn_pyg.ops.graph_mix`, of public functions of
torch: features :math:`[N, V, P, C_{in}]`, graphs :math:`[N, K, V, V]` and
weights :math:`[K, C_{in}, C_{out}]` to features :math:`[N, V, P, C_{out}]`.
"""

import torch
from torch import Tensor

from symgnn_pyg.ops.recompute import recompute

# What K graphs mix at a time: this many numbers stay in the cache.
SCRATCH = 2**20


def reference(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""Equation by equation."""
    return torch.einsum("nkij,njpc,kcd->nipd", graphs, x, weight)


def dense(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""Graph by graph: one product mixes the nodes, the next one multiplies
    by the weights and adds up. Mixing first is the cheaper order where
    :math:`C_{in} \leq C_{out}`, as in nearly all layers.
    """
    samples = x.flatten(2)  # [N, V, P*C]
    mixed = torch.bmm(graphs[:, 0], samples).view_as(x)
    out = mixed.flatten(0, 2) @ weight[0]
    for k in range(1, weight.size(0)):
        mixed = torch.bmm(graphs[:, k], samples).view_as(x)
        out = torch.addmm(out, mixed.flatten(0, 2), weight[k])
    return out.view(*x.shape[:3], weight.size(2))


def stacked(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""All graphs in one product, and all weights in another."""
    n, v, frames, channels = x.shape
    num_graphs, _, out_channels = weight.shape
    stack = graphs.transpose(1, 2).flatten(1, 2)  # [N, V*K, V]
    mixed = torch.matmul(stack.unsqueeze(1), x.transpose(1, 2))
    rows = mixed.view(n * frames * v, num_graphs * channels)
    out = rows @ weight.flatten(0, 1)
    return out.view(n, frames, v, out_channels).transpose(1, 2)


def blocked(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""Walks the samples a few at a time, so that what :math:`K` graphs mix
    stays in the cache and is never held for all samples. The backward pass
    mixes again.
    """
    num_graphs, channels, out_channels = weight.shape
    mixed = num_graphs * x[:1].numel()
    size = max(1, SCRATCH // max(1, mixed))
    mix = stacked
    if x.size(2) > 1:  # Images of one frame would be one number wide.
        rows = weight.flatten(0, 1).t().contiguous()  # [C_out, K*C]
        filters = rows.view(out_channels, num_graphs, 1, channels)
        mix, weight = _convolved, filters.permute(0, 3, 1, 2)
    blocks = zip(x.split(size), graphs.split(size), strict=True)
    return torch.cat([recompute(mix, *block, weight) for block in blocks])


def _convolved(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""All graphs in one product, which gives the :math:`K` rows of one image
    per node; one convolution multiplies these by their weights
    :math:`[C_{out}, C_{in}, K, 1]` and adds up. On a CPU, torch's convolutions
    can be twice as fast as its products (`python -m benchmarks.operators`).
    """
    n, v, frames, channels = x.shape
    num_graphs = graphs.size(1)
    stack = graphs.transpose(1, 2).flatten(1, 2)  # [N, V*K, V]
    mixed = torch.bmm(stack, x.flatten(2))  # [N, V*K, P*C]
    images = mixed.view(n * v, num_graphs, frames, channels)
    out = torch.conv2d(images.permute(0, 3, 1, 2), weight)
    return out.permute(0, 2, 3, 1).reshape(n, v, frames, -1)

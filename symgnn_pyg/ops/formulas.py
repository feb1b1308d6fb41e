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
    num_graphs, channels, _ = weight.shape
    mixed = num_graphs * x[:1].numel()
    size = max(1, SCRATCH // max(1, mixed))
    rows = weight.flatten(0, 1).t()  # [C_out, K*C]
    if x.size(0) > size:
        # Blocks share one contiguous copy. A single block keeps a view of the
        # weights, so that no copy is saved for the backward pass.
        rows = rows.contiguous()
    filters = rows.unflatten(1, (num_graphs, 1, channels))
    filters = filters.permute(0, 3, 1, 2)  # [C_out, C, K, 1]
    blocks = zip(x.split(size), graphs.split(size), strict=True)
    return torch.cat(
        [recompute(_convolved, *block, filters) for block in blocks]
    )


def _convolved(x: Tensor, graphs: Tensor, filters: Tensor) -> Tensor:
    r"""All graphs in one product, which gives the :math:`K` rows of images;
    one convolution multiplies these by their weights and adds up. On a CPU,
    torch's convolutions can be twice as fast as its products, and their
    backward pass is faster with more images
    (`python -m benchmarks.operators`).
    """
    n, v, frames, channels = x.shape
    num_graphs = graphs.size(1)
    # One image per node, or per sample where images would be one number wide.
    num_images, width = (n * v, frames) if frames > 1 else (n, v)
    stack = graphs.transpose(1, 2) if frames > 1 else graphs
    mixed = torch.bmm(stack.flatten(1, 2), x.flatten(2))  # [N, V*K, P*C]
    images = mixed.view(num_images, num_graphs, width, channels)
    out = torch.conv2d(images.permute(0, 3, 1, 2), filters)
    return out.permute(0, 2, 3, 1).reshape(n, v, frames, -1)

import torch
from torch import Tensor

from symgnn_pyg.ops.formulas import convolved
from symgnn_pyg.ops.recompute import recompute

# What K graphs mix at a time: this many numbers stay in the cache.
SCRATCH = 2**20


def blocked(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""Walks the samples a few at a time, so that what :math:`K` graphs mix
    stays in the cache and is never there for all samples. The backward pass
    mixes again.
    """
    mixed = weight.size(0) * x[:1].numel()
    size = max(1, SCRATCH // max(1, mixed))
    blocks = zip(x.split(size), graphs.split(size), strict=True)
    return torch.cat([recompute(convolved, *block, weight) for block in blocks])

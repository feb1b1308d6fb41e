"""What the operators over all pairs of joints of a sample share."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from symgnn_pyg.ops.plain_code import needs_plain_code

# Numbers in a scratch: few enough for the cache of a core, and enough that
# the work of a call outweighs the call.
SCRATCH = 2**19


def check(a: Tensor, b: Tensor) -> None:
    r"""Checks the two terms of the pairs.

    Raises:
        ValueError: If they are not of one shape :math:`[N, V, D]`.
    """
    if a.dim() != 3 or a.shape != b.shape:
        raise ValueError(
            f"Expected 'a' and 'b' of one shape [N, V, D], got "
            f"{list(a.shape)} and {list(b.shape)}"
        )


def plain(*tensors: Tensor) -> bool:
    r"""Whether plain code serves better than blocks: a graph that is exported
    holds no operator of ours, other devices stream or fuse it, and it takes
    numbers of any precision.
    """
    first = tensors[0]
    return (
        needs_plain_code()
        or first.device.type != "cpu"
        or first.dtype not in (torch.float32, torch.float64)
        or any(t.dtype != first.dtype for t in tensors)
    )


def num_partners(num_joints: int, self_pairs: bool) -> int:
    r"""With how many joints a joint forms pairs."""
    return num_joints if self_pairs else num_joints - 1


def drop_diagonal(grid: Tensor) -> Tensor:
    r"""Views :math:`[N, V, V, D]` without the entries :math:`i = j`. The
    result, of shape :math:`[N, V - 1, V, D]`, holds the others in their order:
    between two entries of the diagonal lie :math:`V` others.
    """
    n, v, _, d = grid.shape
    return grid.flatten(1, 2)[:, 1:].view(n, v - 1, v + 1, d)[:, :, :-1]


def grids(
    a: Tensor, b: Tensor, combine: Callable[..., Tensor] = torch.add
) -> Iterator[tuple[slice, Tensor]]:
    r"""Yields :math:`\mathbf{a}_i + \mathbf{b}_j`, or another combination, of
    all pairs of a few samples at a time: the slice of the samples and a tensor
    of shape :math:`[B, V, V, D]`, which lies in one reused scratch.
    """
    num_samples, num_joints, channels = a.shape
    size = max(1, SCRATCH // max(1, num_joints**2 * channels))
    shape = (min(size, num_samples), num_joints, num_joints, channels)
    scratch = a.new_empty(shape)
    for at in range(0, num_samples, size):
        here = slice(at, min(at + size, num_samples))
        grid = scratch[: here.stop - at]
        combine(a[here].unsqueeze(2), b[here].unsqueeze(1), out=grid)
        yield here, grid

"""The limits of a machine, and the work that an operator requires."""

from functools import partial
from statistics import median
from typing import NamedTuple

import torch

from benchmarks.measure import budget, interleaved
from benchmarks.rivals.graph_mix import Problem
from symgnn_pyg.ops.product import matmul


class Ceilings(NamedTuple):
    """What a machine can do per second.

    Args:
        num_bytes: Bytes that a copy reads and writes.
        num_operations: Floating-point operations of a product.
    """

    num_bytes: float
    num_operations: float

    @staticmethod
    def measure(
        device: torch.device, dtype: torch.dtype, quick: bool
    ) -> "Ceilings":
        """Measures both, in one precision."""
        large = device.type == "cuda" and not quick
        size = 8192 if large else (512 if quick else 2048)
        empty = partial(torch.empty, device=device, dtype=dtype)
        # Pages that were never written are not read from memory.
        source, target = (empty(4 * size * size).fill_(1) for _ in range(2))
        a, b = (empty(size, size).normal_() for _ in range(2))
        runs = {
            "copy": lambda: target.copy_(source),
            "product": lambda: matmul(a, b),
        }
        times = interleaved(runs, *budget(quick), device)
        copy, product = map(median, times.values())
        return Ceilings(2 * source.nbytes / copy, 2 * size**3 / product)

    def least_seconds(self, num_bytes: float, num_operations: float) -> float:
        """The time that work takes at the tighter of the two limits."""
        return max(
            num_bytes / self.num_bytes, num_operations / self.num_operations
        )


class Work(NamedTuple):
    """The bytes and operations that any order of operations requires."""

    num_bytes: float
    num_operations: float

    @staticmethod
    def of(problem: Problem) -> tuple["Work", "Work"]:
        """The work of a forward pass, and of a forward and backward pass."""
        x, graphs, weight = problem
        num_graphs, width, out_width = weight.shape
        v = graphs[0].size(-1)
        rows = x.numel() // width
        narrow = min(width, out_width)
        operations = 2 * num_graphs * rows * (width * out_width + v * narrow)
        parts = sum(graph.nbytes for graph in graphs) + weight.nbytes
        out = rows * out_width * x.element_size()
        forward = x.nbytes + out + parts
        # The backward pass reads features and gradients and writes gradients.
        backward = 2 * x.nbytes + out + 2 * parts
        return (
            Work(forward, operations),
            Work(forward + backward, 3 * operations),
        )


def bytes_to_keep(problem: Problem) -> int:
    """The memory that training needs in the end: result and gradients."""
    x, graphs, weight = problem
    out = x.nbytes // weight.size(1) * weight.size(2)
    return x.nbytes + out + weight.nbytes + sum(g.nbytes for g in graphs)

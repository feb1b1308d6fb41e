"""What a machine could do at best, and what there is to do."""

from functools import partial
from statistics import median
from typing import NamedTuple

import torch

from benchmarks.measure import budget, interleaved
from benchmarks.rivals.graph_mix import Problem


class Ceilings(NamedTuple):
    """What a machine can do in a second.

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
        # Memory that nobody has written to is not read.
        source, target = (empty(4 * size * size).fill_(1) for _ in range(2))
        a, b = (empty(size, size).normal_() for _ in range(2))
        runs = {
            "copy": lambda: target.copy_(source),
            "product": lambda: a @ b,
        }
        times = interleaved(runs, *budget(quick), device)
        copy, product = map(median, times.values())
        return Ceilings(2 * source.nbytes / copy, 2 * size**3 / product)

    def least_seconds(self, num_bytes: float, num_operations: float) -> float:
        """What some work takes at the lower of both ceilings."""
        return max(
            num_bytes / self.num_bytes, num_operations / self.num_operations
        )


class Work(NamedTuple):
    """What is to be done, whatever the order: bytes and operations."""

    num_bytes: float
    num_operations: float

    @staticmethod
    def of(problem: Problem) -> tuple["Work", "Work"]:
        """That of a forward pass, and of it with a backward pass."""
        x, graphs, weight = problem
        num_graphs, width, out_width = weight.shape
        v = graphs[0].size(-1)
        rows = x.numel() // width
        narrow = min(width, out_width)
        operations = 2 * num_graphs * rows * (width * out_width + v * narrow)
        parts = sum(graph.nbytes for graph in graphs) + weight.nbytes
        out = rows * out_width * x.element_size()
        forward = x.nbytes + out + parts
        # Back: features and gradients are read, gradients written.
        backward = 2 * x.nbytes + out + 2 * parts
        return (
            Work(forward, operations),
            Work(forward + backward, 3 * operations),
        )


def bytes_to_keep(problem: Problem) -> int:
    """What training must hold at last: the result and all gradients."""
    x, graphs, weight = problem
    out = x.nbytes // weight.size(1) * weight.size(2)
    return x.nbytes + out + weight.nbytes + sum(g.nbytes for g in graphs)

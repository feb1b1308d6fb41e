from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from torch import Tensor


class SampleGroup(NamedTuple):
    r"""Samples of one size that lie side by side."""

    num_samples: int
    num_joints: int
    rows: slice  # of the features
    entries: slice  # of the graphs


def sample_groups(
    x: Tensor,
    num_graphs: int,
    sizes: Sequence[int],
    most: Callable[[int], int],
) -> Iterator[SampleGroup]:
    r"""Walks the samples of a batch a few at a time.

    Args:
        x: Node features, of shape :math:`[\sum_n V_n, *]`.
        num_graphs: The number :math:`K` of graphs of a sample.
        sizes: As kernels take them: :math:`(V)` or
            :math:`(V_1, \ldots, V_N)`.
        most: So many samples of a size go into a group.
    """
    if len(sizes) == 1:
        sizes = list(sizes) * (x.size(0) // sizes[0])
    row = entry = 0
    for v, run in groupby(sizes):
        left, step = len(list(run)), most(v)
        for at in range(0, left, step):
            count = min(step, left - at)
            rows = slice(row, row + count * v)
            entries = slice(entry, entry + count * num_graphs * v * v)
            yield SampleGroup(count, v, rows, entries)
            row, entry = rows.stop, entries.stop

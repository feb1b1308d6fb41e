from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import torch

# More numbers would leave the last cache.
SCRATCH = 2**22


class SampleGroup(NamedTuple):
    r"""Samples of one size that lie side by side."""

    num_samples: int
    num_joints: int
    rows: slice  # of the features
    entries: slice  # of the graphs


def samples_at_once(length: int) -> int:
    r"""How many samples all cores work on side by side.

    Args:
        length: So many numbers are kept of a sample meanwhile.
    """
    threads = torch.get_num_threads()
    # Two samples a core keep it busy while one waits for memory.
    return max(threads, min(2 * threads, SCRATCH // length))


def sample_groups(
    num_rows: int,
    num_graphs: int,
    sizes: Sequence[int],
    most: Callable[[int], int],
) -> Iterator[SampleGroup]:
    r"""Walks the samples of a batch a few at a time.

    Args:
        num_rows: The number :math:`\sum_n V_n` of rows of the features.
        num_graphs: The number :math:`K` of graphs of a sample.
        sizes: As kernels take them: :math:`(V)` or
            :math:`(V_1, \ldots, V_N)`.
        most: The size of the largest group, given the number of joints of
            its samples.
    """
    if len(sizes) == 1:
        sizes = list(sizes) * (num_rows // sizes[0])
    row = entry = 0
    for v, run in groupby(sizes):
        left, step = len(list(run)), most(v)
        for at in range(0, left, step):
            count = min(step, left - at)
            rows = slice(row, row + count * v)
            entries = slice(entry, entry + count * num_graphs * v * v)
            yield SampleGroup(count, v, rows, entries)
            row, entry = rows.stop, entries.stop

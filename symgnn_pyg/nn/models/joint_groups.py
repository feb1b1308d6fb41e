"""Batches of unequal samples as groups of equal ones, by Python integers."""

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from symgnn_pyg.nn.pool.rows import samples

# The number of samples and the number of joints per sample of each group.
Groups = Sequence[tuple[int, int]]


def group_sizes(h: Tensor, num_joints: int | Sequence[int]) -> Groups:
    r"""Groups neighbouring samples of equal size.

    Args:
        h: Joint features :math:`[M, *]`, one sample after another.
        num_joints: :math:`V`, or the number of joints of each sample.

    Raises:
        ValueError: If the rows of :obj:`h` are not those joints.
    """
    if isinstance(num_joints, int):
        return [(samples(h, num_joints, "joints").size(0), num_joints)]
    if sum(num_joints) != h.size(0):
        raise ValueError(
            f"The samples have {sum(num_joints)} joints by 'num_joints', but "
            f"there are {h.size(0)} rows (shape {list(h.shape)})"
        )
    return [(len(list(run)), v) for v, run in groupby(num_joints)]


def split(x: Tensor, groups: Groups) -> list[Tensor]:
    r"""Views :math:`[M, D]` as one tensor :math:`[N, V, D]` per group."""
    shapes = [(n, v, x.size(1)) for n, v in groups]
    if len(shapes) == 1:
        # Behind a split the derivative would be copied.
        return [x.view(shapes[0])]
    parts = x.split([n * v for n, v in groups])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def join(parts: Sequence[Tensor]) -> Tensor:
    r"""The inverse of :func:`split`."""
    rows = [part.flatten(0, 1) for part in parts]
    return rows[0] if len(rows) == 1 else torch.cat(rows)

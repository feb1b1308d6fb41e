"""Batches of unequal samples as groups of equal ones, by Python integers."""

from collections.abc import Sequence
from itertools import groupby
from math import prod

import torch
from torch import Tensor

from symgnn_pyg.nn.pool.rows import samples

# So many samples of so many joints each, one group after another.
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
    r"""Views :math:`[M, D]` as one tensor :math:`[N, V, D]` a group."""
    return split_rows(x, [(n, v, x.size(1)) for n, v in groups])


def split_rows(x: Tensor, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    r"""Views :math:`[M, D]` as tensors of the given shapes."""
    if len(shapes) == 1:
        # Behind a split the derivative would be copied.
        return [x.view(shapes[0])]
    parts = x.split([prod(shape[:-1]) for shape in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def join_rows(parts: Sequence[Tensor]) -> Tensor:
    r"""The rows :math:`[M, D]` of tensors :math:`[*, D]`."""
    rows = [part.flatten(0, -2) for part in parts]
    return rows[0] if len(rows) == 1 else torch.cat(rows)

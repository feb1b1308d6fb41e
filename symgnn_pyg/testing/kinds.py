from collections.abc import Mapping, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from symgnn_pyg.testing.evaluate import Inputs

# Rows of joints, bones or parts [N * V, *]; graphs of them [N, *, V, V]; one
# row per sample [N, *]; edges between joints [2, E]; one row per edge [E, *].
ROWS = ("joint", "bone", "part")
KINDS = (
    *ROWS,
    *(f"{rows}_graph" for rows in ROWS),
    "sample",
    "edge_index",
    "edge",
)


def check_kinds(kinds: Mapping[str, str]) -> None:
    r"""Checks that all kinds are known."""
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise ValueError(
                f"The kind of {name!r} must be one of "
                f"{', '.join(map(repr, KINDS))}, got {kind!r}"
            )


def random_order(size: int, seed: int) -> Tensor:
    r"""A random permutation other than the identity."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(size, generator=generator)
    unmoved = torch.equal(order, torch.arange(size))
    return order.roll(1) if unmoved else order


def reorder(tensor: Tensor, kind: str, orders: Mapping[str, Tensor]) -> Tensor:
    r"""Permutes joints, bones and parts.

    Args:
        tensor: The tensor to permute.
        kind: Its kind.
        orders: The old index at each new position, for joints, bones and
            parts.
    """
    if kind in ("sample", "edge"):
        return tensor
    if kind == "edge_index":
        place = orders["joint"].argsort()
        joint = tensor % place.numel()
        return tensor - joint + place[joint]
    order = orders[kind.removesuffix("_graph")]
    if kind not in ROWS:
        return tensor[..., order, :][..., order]
    return tensor.unflatten(0, (-1, order.numel()))[:, order].flatten(0, 1)


def join(samples: Sequence[Inputs], kinds: Mapping[str, str]) -> Inputs:
    r"""Batches samples as PyG does."""
    return {
        name: _join(name, [s[name] for s in samples], samples, kinds)
        for name in samples[0]
    }


def _join(
    name: str,
    values: Sequence[object],
    samples: Sequence[Inputs],
    kinds: Mapping[str, str],
) -> object:
    first, kind = values[0], kinds.get(name)
    if kind is None:
        if any(not _equal(value, first) for value in values):
            raise ValueError(
                f"{name!r} differs between samples; pass its kind in 'kinds_in'"
            )
        return first
    if isinstance(first, list | tuple):
        return [part for value in values for part in value]  # type: ignore[attr-defined]
    tensors = [value for value in values if isinstance(value, Tensor)]
    if kind != "edge_index":
        return torch.cat(tensors)
    counts = [_num_joints(sample, kinds) for sample in samples]
    starts = accumulate([0, *counts[:-1]])
    return torch.cat(
        [edges + start for edges, start in zip(tensors, starts, strict=True)],
        dim=1,
    )


def _num_joints(sample: Inputs, kinds: Mapping[str, str]) -> int:
    for name, value in sample.items():
        if kinds.get(name) == "joint" and isinstance(value, Tensor):
            return value.size(0)
    raise ValueError(
        "An 'edge_index' can only be batched if an argument is 'joint'; pass "
        "it in 'kinds_in'"
    )


def _equal(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return one == other

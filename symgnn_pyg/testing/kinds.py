from collections.abc import Mapping, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from symgnn_pyg.testing.evaluate import Inputs

# Rows of joints, bones or parts [N * V, *]; graphs of them [N, *, V, V]; one
# row a sample [N, *]; edges between joints [2, E]; one row an edge [E, *].
ROWS = ("joint", "bone", "part")
KINDS = (
    *ROWS,
    *(f"{rows}_graph" for rows in ROWS),
    "sample",
    "edge_index",
    "edge",
)


def check_kinds(kinds: Mapping[str, str]) -> None:
    r"""Refuses what is no kind of tensor.

    Raises:
        ValueError: If there is one.
    """
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise ValueError(
                f"{name!r} is said to be {kind!r}; there are "
                f"{', '.join(map(repr, KINDS))}"
            )


def random_order(size: int, seed: int) -> Tensor:
    r"""An order of so many things that is not the one they have."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(size, generator=generator)
    unmoved = torch.equal(order, torch.arange(size))
    return order.roll(1) if unmoved else order


def reorder(tensor: Tensor, kind: str, orders: Mapping[str, Tensor]) -> Tensor:
    r"""Brings joints, bones and parts into another order.

    Args:
        tensor: What to reorder.
        kind: Its kind.
        orders: For joints, bones and parts, which of the old ones stands at
            each new place.
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
    r"""Makes one batch of samples, as PyG does.

    Args:
        samples: The arguments of a layer for each sample.
        kinds: The kind of each argument. What has none is the same in all.

    Raises:
        ValueError: If an argument without kind differs.
    """
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
                f"{name!r} differs from sample to sample: say in 'kinds_in' "
                f"what it is"
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
    raise ValueError("'edge_index' joins nodes, but no argument is 'joint'")


def _equal(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return one == other

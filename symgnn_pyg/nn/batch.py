"""The rows of a batch: which of them are the nodes of which sample, and which
skeleton each sample has. The sizes of samples are Python integers, so that
nothing is read back from the device.
"""

from collections.abc import Callable, Sequence
from itertools import groupby

import torch
from torch import Tensor
from torch_geometric.utils import scatter

from symgnn_pyg.skeleton import Skeleton, as_skeleton
from symgnn_pyg.typing import SkeletonLike

# The number of samples and the number of joints per sample of each group.
Groups = Sequence[tuple[int, int]]


def check_tensor(x: object) -> None:
    r"""Refuses node features that are not one tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(
            f"Expected 'x' to be a torch.Tensor, got {type(x).__name__}; "
            + (
                "edges from one set of nodes to another are not supported: "
                "all nodes send and receive messages, so pass their features "
                "as one tensor"
                if isinstance(x, tuple | list)
                else "pass its 'x'"
                if hasattr(x, "x")
                else "torch.as_tensor(x, dtype=torch.float32) converts arrays"
            )
        )


def samples(x: Tensor, num_nodes: int, what: str) -> Tensor:
    r"""Views node-major features :math:`[N \cdot V, *]` as
    :math:`[N, V, *]`.
    """
    if x.size(0) % num_nodes != 0:
        raise ValueError(
            f"Expected 'x' to have a multiple of {num_nodes} rows, the number "
            f"of {what} of the skeleton, got {list(x.shape)}"
        )
    return x.reshape(x.size(0) // num_nodes, num_nodes, *x.shape[1:])


def sample_of_body(num_bodies: Tensor, total: int) -> Tensor:
    r"""The index of the sample that each body belongs to, of shape
    :math:`[M]`, computed without synchronising with the device.

    Args:
        num_bodies: The number of bodies in each sample, of shape :math:`[N]`.
        total: The number of bodies :math:`M` in all samples.

    Raises:
        ValueError: If :obj:`num_bodies` has another shape or type, or does
            not add up to :math:`M`, which is only checked on the CPU.
    """
    if (
        not isinstance(num_bodies, Tensor)
        or num_bodies.dim() != 1
        or num_bodies.is_floating_point()
    ):
        raise ValueError(
            "Expected 'num_bodies' to be a tensor of integers of shape [N], "
            "got "
            + (
                f"{num_bodies.dtype} {list(num_bodies.shape)}"
                if isinstance(num_bodies, Tensor)
                else repr(num_bodies)
            )
        )
    if not num_bodies.is_cuda and not torch.compiler.is_compiling():
        found = int(num_bodies.sum())
        if found != total:
            raise ValueError(
                f"'num_bodies' must add up to {total}, the number of bodies "
                f"in 'x', got {found} in {num_bodies.numel()} samples"
            )
    # Not repeat_interleave, which cannot be exported to ONNX.
    start = num_bodies.cumsum(0) - num_bodies
    starts = num_bodies.new_zeros(total + 1)
    starts = starts.scatter_add(0, start, torch.ones_like(num_bodies))
    return starts[:-1].cumsum(0) - 1


def join_bodies(h: Tensor, num_bodies: Tensor | None, reduce: str) -> Tensor:
    r"""Reduces the features of bodies :math:`[M, D]` to those of samples
    :math:`[N, D]`, by :obj:`"mean"` or :obj:`"max"`.
    """
    if num_bodies is None:
        return h
    sample = sample_of_body(num_bodies, h.size(0))
    return scatter(h, sample, dim_size=num_bodies.numel(), reduce=reduce)


def all_pairs(
    groups: Groups, device: torch.device | None = None, self_pairs: bool = True
) -> Tensor:
    r"""The edges of all pairs of nodes of each sample, sources first, of shape
    :math:`[2, \sum_n V_n^2]`, in the order of the matrices of graphs.
    """
    edges, start = [], 0
    for n, v in groups:
        node = torch.arange(start, start + n * v, device=device).view(n, v)
        source = node.unsqueeze(1).expand(n, v, v)
        target = node.unsqueeze(2).expand(n, v, v)
        pairs = torch.stack([source, target]).flatten(2)  # [2, N, V * V]
        if not self_pairs:
            # From the second entry on, every (V + 1)-th is on the diagonal.
            pairs = pairs[:, :, 1:].unflatten(2, (v - 1, v + 1))[..., :-1]
        edges.append(pairs.flatten(1))
        start += n * v
    return torch.cat(edges, dim=1)


def group_sizes(h: Tensor, num_joints: int | Sequence[int]) -> Groups:
    r"""Groups neighbouring samples of equal size.

    Args:
        h: Joint features :math:`[M, *]`, one sample after another.
        num_joints: :math:`V`, or the number of joints of each sample.
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
        # After a split, the gradient would be copied.
        return [x.view(shapes[0])]
    parts = x.split([n * v for n, v in groups])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def join(parts: Sequence[Tensor]) -> Tensor:
    r"""The inverse of :func:`split`."""
    rows = [part.flatten(0, 1) for part in parts]
    return rows[0] if len(rows) == 1 else torch.cat(rows)


def per_skeleton(
    skeleton: SkeletonLike | None, make: Callable[[Skeleton], Tensor]
) -> Tensor | list[Tensor] | None:
    r"""Applies :obj:`make` to a skeleton, or to each of several skeletons."""
    if skeleton is None:
        return None
    given = as_skeletons(skeleton)
    # Also within the context of another device, such as "meta".
    with torch.device("cpu"):
        if isinstance(given, Skeleton):
            return make(given)
        return [make(one) for one in given]


def as_skeletons(skeleton: SkeletonLike) -> Skeleton | list[Skeleton]:
    r"""Returns a skeleton, or a list of several, with each name replaced by
    the built-in skeleton.
    """
    if isinstance(skeleton, str) or not isinstance(skeleton, Sequence):
        return as_skeleton(skeleton)
    if len(skeleton) == 0:
        raise ValueError("'skeleton' must hold at least one skeleton, got none")
    return [as_skeleton(one) for one in skeleton]


def check_skeleton_type(
    skeleton_type: Sequence[int] | None, num_skeletons: int
) -> Sequence[int]:
    r"""Checks the :obj:`skeleton_type` of a layer with several skeletons."""
    if skeleton_type is None:
        raise ValueError(
            f"A layer with {num_skeletons} skeletons requires 'skeleton_type', "
            f"the index of the skeleton of each sample, such as "
            f"[skeletons.index(s) for s in batch.skeleton]"
        )
    wrong = [kind for kind in skeleton_type if not 0 <= kind < num_skeletons]
    if wrong:
        raise ValueError(
            f"'skeleton_type' must hold indices from 0 to {num_skeletons - 1} "
            f"for {num_skeletons} skeletons, got {wrong[0]}"
        )
    return skeleton_type


def check_rows(x: Tensor, sizes: Sequence[int], what: str) -> None:
    r"""Checks that features have one row for each node of samples of these
    sizes, whose nodes are :obj:`"joints"` or :obj:`"parts"`.
    """
    if x.size(0) != sum(sizes):
        raise ValueError(
            f"Expected 'x' to have {sum(sizes)} rows, one for each of the "
            f"{what} of the {len(sizes)} samples in 'skeleton_type', got "
            f"{list(x.shape)}"
        )


def check_no_skeleton_type(skeleton_type: Sequence[int] | None) -> None:
    r"""Checks that :obj:`skeleton_type` is not given where it is not used."""
    if skeleton_type is not None:
        raise ValueError(
            "'skeleton_type' must be None for a layer with a single skeleton "
            "or if 'edge_index' is given"
        )

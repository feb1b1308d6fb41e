from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.modes import evaluation
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import Inputs, check_nonzero, evaluate
from symgnn_pyg.testing.kinds import check_kinds, join


def assert_batch_invariant(
    layer: Module,
    samples: Sequence[Inputs],
    kinds_in: Mapping[str, str],
    rtol: float | None = None,
) -> None:
    r"""Asserts that a layer returns the same values and gradients for a batch
    as for each of its samples by itself, in evaluation mode.

    Args:
        layer: The layer. It is not modified.
        samples: The arguments of the layer by name, for each sample. Samples
            may differ in size. They are batched as in PyG: rows and lists are
            concatenated, and edges are incremented by the number of nodes.
        kinds_in: What the arguments hold: :obj:`"joint"`, :obj:`"bone"` or
            :obj:`"part"` for one row per joint, bone or part :math:`[V, *]`;
            :obj:`"joint_graph"`, :obj:`"bone_graph"` or :obj:`"part_graph"`
            for graphs of them :math:`[1, *, V, V]`; :obj:`"sample"` for one
            row per sample :math:`[1, *]`; :obj:`"edge_index"` for edges
            between joints :math:`[2, |E|]`; :obj:`"edge"` for one row per edge
            :math:`[|E|, *]`. All other arguments must be the same for every
            sample.
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)

    Raises:
        AssertionError: If a sample depends on the others in its batch.
        ValueError: If the samples cannot be batched, or the layer returns
            only zeros.

    Example:
        >>> conv = StructuralGraphConv(3, 8, skeleton)
        >>> samples = [{"x": torch.randn(26, 50, 3)} for _ in range(3)]
        >>> assert_batch_invariant(conv, samples, {"x": "joint"})
    """
    check_kinds(kinds_in)
    with evaluation(layer):
        batch = evaluate(layer, join(samples, kinds_in))
        alone = [evaluate(layer, sample) for sample in samples]
    check_nonzero(layer, batch)
    if "output 0" in alone[0] and "output 1" not in alone[0]:
        batch, *alone = [_merge_list(out) for out in (batch, *alone)]
    broken = f"{type(layer).__name__} is not batch invariant"
    if batch.keys() != alone[0].keys():
        raise AssertionError(
            f"{broken}: expected the tensors {[*alone[0]]} for a batch as for "
            f"a single sample, got {[*batch]}"
        )
    shares = {
        name: _split(
            whole, [one[name] for one in alone], f"{broken}: the {name}"
        )
        for name, whole in batch.items()
    }
    for n, one in enumerate(alone):
        part = {name: share[n] for name, share in shares.items()}
        compare(part, one, f"{broken}, sample {n} of {len(alone)}", rtol)


def _merge_list(out: Mapping[str, Tensor]) -> dict[str, Tensor]:
    r"""Joins the output of a layer that returns one tensor per sample."""
    listed = {name: t for name, t in out.items() if name.startswith("output ")}
    numbers = [tensor.flatten() for tensor in listed.values()]
    rest = {name: t for name, t in out.items() if name not in listed}
    return {"output": torch.cat(numbers), **rest}


def _split(
    whole: Tensor, alone: Sequence[Tensor], broken: str
) -> Sequence[Tensor]:
    rows = [tensor.shape[:1].numel() for tensor in alone]
    if whole.dim() == 0 or sum(rows) != whole.size(0):
        raise AssertionError(
            f"{broken} of the batch has shape {list(whole.shape)}, but those "
            f"of its samples have the shapes "
            f"{[list(tensor.shape) for tensor in alone]}"
        )
    return whole.split(rows)

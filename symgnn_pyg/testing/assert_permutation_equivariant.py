from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.modes import evaluation
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import (
    Inputs,
    check_nonzero,
    evaluate,
    gradient_of,
)
from symgnn_pyg.testing.kinds import check_kinds, random_order, reorder

PER_NODE: Mapping[str, str] = {"mask": "graph"}
DIMS = {"rows": (0,), "graph": (-2, -1)}


def assert_permutation_equivariant(
    make: Callable[[Skeleton], Module],
    skeleton: Skeleton,
    inputs: Inputs,
    kinds_in: Mapping[str, str],
    kinds_out: Mapping[str, str],
    per_node: Mapping[str, str] = PER_NODE,
    seed: int = 0,
    rtol: float | None = None,
) -> None:
    r"""Asserts that a layer is equivariant to the order of joints, bones and
    parts: if the skeleton and the inputs are permuted and the weights are the
    same, values and gradients to the inputs are permuted likewise, in
    evaluation mode.

    Args:
        make: A function that creates the layer for a skeleton. For layers
            without a skeleton, which take edges, it may return the same layer
            every time.
        skeleton: The skeleton.
        inputs: The arguments of the layer by name.
        kinds_in: What the arguments hold, as in
            :func:`~symgnn_pyg.testing.assert_batch_invariant`. All other
            arguments do not depend on the order.
        kinds_out: What the output holds, such as
            :obj:`{"output": "joint"}`, or its fields by name.
        per_node: The names of weights and buffers (without those of their
            modules) that belong to joints, bones or parts, which are told
            apart by their number: :obj:`"rows"` for one row per node,
            :obj:`"graph"` for pairs of nodes in the last two dimensions.
            (default: :obj:`{"mask": "graph"}`)
        seed: The seed of the permutation. (default: :obj:`0`)
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)

    Raises:
        AssertionError: If the order matters.
        ValueError: If the size of a tensor in :obj:`per_node` is ambiguous, or
            the layer returns only zeros.

    Example:
        >>> assert_permutation_equivariant(
        ...     lambda skeleton: StructuralGraphConv(3, 8, skeleton),
        ...     skeleton,
        ...     {"x": torch.randn(2 * skeleton.num_joints, 50, 3)},
        ...     {"x": "joint"},
        ...     {"output": "joint"},
        ... )
    """
    check_kinds(kinds_in)
    check_kinds(kinds_out)
    other_skeleton, orders = _shuffle(skeleton, seed)
    layer, other = make(skeleton), make(other_skeleton)
    if other is not layer:
        old, new = map(_parts_of_bones, (skeleton, other_skeleton))
        of_bones = torch.tensor([old.index(name) for name in new])
        _copy_state(layer, other, [*orders.values(), of_bones], per_node)
    moved = {
        name: reorder(value, kinds_in[name], orders)
        if name in kinds_in and isinstance(value, Tensor)
        else value
        for name, value in inputs.items()
    }
    with evaluation(layer, other):
        expected, found = evaluate(layer, inputs), evaluate(other, moved)
    check_nonzero(layer, expected)
    kinds = {gradient_of(name): kind for name, kind in kinds_in.items()}
    kinds |= kinds_out
    expected = {
        name: reorder(tensor, kinds[name], orders) if name in kinds else tensor
        for name, tensor in expected.items()
    }
    broken = f"{type(layer).__name__} is not permutation equivariant"
    compare(found, expected, broken, rtol)


def _shuffle(
    skeleton: Skeleton, seed: int
) -> tuple[Skeleton, dict[str, Tensor]]:
    orders = {
        "joint": random_order(skeleton.num_joints, seed),
        "bone": random_order(skeleton.num_bones, seed),
        "part": random_order(skeleton.num_parts, seed),
    }
    joint, part = skeleton.joints, skeleton.part_names

    def named(names: Sequence[str], pair: tuple[int, int]) -> tuple[str, str]:
        return names[pair[0]], names[pair[1]]

    other = Skeleton(
        [joint[j] for j in orders["joint"]],
        [named(joint, skeleton.bones[b]) for b in orders["bone"]],
        {
            name: [joint[j] for j in joints]
            for name, joints in (skeleton.parts[p] for p in orders["part"])
        },
        part_bones=[named(part, pair) for pair in skeleton.part_bones],
        links=[named(joint, pair) for pair in skeleton.links],
        centre=joint[skeleton.centre],
        name=skeleton.name,
    )
    return other, orders


def _parts_of_bones(skeleton: Skeleton) -> tuple[str, ...]:
    return skeleton.dual().part_names if skeleton.bones else ()


def _copy_state(
    layer: Module,
    other: Module,
    orders: Sequence[Tensor],
    per_node: Mapping[str, str],
) -> None:
    state = other.state_dict()
    for name, tensor in layer.state_dict().items():
        form = per_node.get(name.rpartition(".")[2])
        for dim in DIMS[form] if form else ():
            order = _order_of(tensor.size(dim), orders, name)
            tensor = tensor.index_select(dim, order)
        state[name].copy_(tensor)


def _order_of(size: int, orders: Sequence[Tensor], name: str) -> Tensor:
    fitting = [order for order in orders if order.numel() == size]
    if not fitting or any(not o.equal(fitting[0]) for o in fitting):
        raise ValueError(
            f"Cannot tell whether the size {size} of {name!r} is the number "
            f"of joints, bones or parts; pass a skeleton in which these "
            f"numbers differ"
        )
    return fitting[0]

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import Module

from symgnn_pyg.modes import evaluation
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import Inputs, check_nonzero, tensors

MOTIONS = ("translation", "rotation", "rigid motion")
BEHAVIOURS = ("invariant", "equivariant")


def assert_rigid_motion_behaviour(
    layer: Module,
    inputs: Inputs,
    behaviour: str | Mapping[str, str],
    motion: str = "rigid motion",
    points: Sequence[str] = ("x",),
    vectors: Sequence[str] = (),
    seed: int = 0,
    rtol: float | None = None,
) -> None:
    r"""Asserts that a layer is invariant or equivariant to rigid motions of
    its inputs, :math:`\mathbf{x} \mapsto \mathbf{R} \mathbf{x} + \mathbf{t}`,
    in evaluation mode.

    Args:
        layer: The layer. It is not modified.
        inputs: The arguments of the layer by name.
        behaviour: :obj:`"invariant"` if the outputs must not change,
            :obj:`"equivariant"` if they must move like the input points, or
            one of these for some fields of the output by name.
        motion: :obj:`"translation"`, :obj:`"rotation"`, or
            :obj:`"rigid motion"` for both. (default: :obj:`"rigid motion"`)
        points: The arguments that hold points in their last dimension.
            (default: :obj:`("x",)`)
        vectors: The arguments that hold differences of points, which are
            rotated but not translated. (default: none)
        seed: The seed of the motion. (default: :obj:`0`)
        rtol: The tolerance, relative to the largest value of each tensor.
            (default: depends on the data type)

    Raises:
        AssertionError: If an output behaves differently.
        ValueError: If a behaviour, motion, argument or field is unknown, or
            the layer returns only zeros.

    Example:
        >>> x = {"x": torch.randn(26, 50, 3)}
        >>> velocity = Difference(order=1)
        >>> assert_rigid_motion_behaviour(
        ...     velocity, x, "invariant", "translation"
        ... )
        >>> assert_rigid_motion_behaviour(
        ...     velocity, x, "equivariant", "rotation"
        ... )
    """
    if motion not in MOTIONS:
        raise ValueError(f"'motion' must be one of {MOTIONS}, got {motion!r}")
    placed = {name: _tensor(inputs, name) for name in (*points, *vectors)}
    rotation, shift = _draw({t.size(-1) for t in placed.values()}, motion, seed)

    def move(tensor: Tensor, shift: Tensor) -> Tensor:
        return tensor @ rotation.to(tensor) + shift.to(tensor)

    moved = {
        name: move(tensor, shift if name in points else torch.zeros(()))
        for name, tensor in placed.items()
    }
    with torch.no_grad(), evaluation(layer):
        before = tensors(layer(**inputs))
        after = tensors(layer(**{**inputs, **moved}))
    check_nonzero(layer, before)
    if isinstance(behaviour, str):
        behaviour = dict.fromkeys(before, behaviour)
    for name, kind in behaviour.items():
        if kind not in BEHAVIOURS or name not in before:
            raise ValueError(
                f"'behaviour' must be one of {BEHAVIOURS} for fields among "
                f"{[*before]}, got {kind!r} for {name!r}"
            )
        broken = f"{type(layer).__name__} is not {kind} under {motion}"
        expected = before[name]
        if kind == "equivariant":
            if expected.shape[-1:] != shift.shape:
                raise AssertionError(
                    f"{broken}: expected the {name} to hold points with "
                    f"{shift.numel()} coordinates, got shape "
                    f"{list(expected.shape)}"
                )
            expected = move(expected, shift)
        compare({name: after[name]}, {name: expected}, broken, rtol)


def _tensor(inputs: Inputs, name: str) -> Tensor:
    value = inputs.get(name)
    if not isinstance(value, Tensor):
        raise ValueError(
            f"Expected a tensor {name!r} in 'inputs', got {[*inputs]}"
        )
    return value


def _draw(sizes: set[int], motion: str, seed: int) -> tuple[Tensor, Tensor]:
    if len(sizes) != 1:
        raise ValueError(
            f"All 'points' and 'vectors' must have the same number of "
            f"coordinates, got {sorted(sizes)}"
        )
    (size,) = sizes
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(size + 1, size, generator=generator).double()
    rotation, _ = torch.linalg.qr(drawn[:-1])
    # Turns reflections into rotations.
    rotation[0] *= torch.linalg.det(rotation)
    if motion == "translation":
        rotation = torch.eye(size).double()
    shift = drawn[-1]
    return rotation, 0 * shift if motion == "rotation" else shift

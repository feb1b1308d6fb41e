"""What every picture takes: tensors and arrays of any kind, and positions."""

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton

Array = npt.NDArray[np.float64]
ArrayLike = Tensor | npt.ArrayLike
Up = Literal["y", "-y", "z"]


def to_array(value: ArrayLike, name: str) -> Array:
    r"""The numbers of a tensor on any device, of any type, with or without a
    gradient, dense or sparse, or of what numpy takes for an array.

    Args:
        value: The numbers.
        name: What to call them, for messages.

    Raises:
        ValueError: If they are no real numbers, or rows differ in length.
    """
    if isinstance(value, Tensor) and not value.is_complex():
        return value.detach().to_dense().to("cpu", torch.float64).numpy()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"'{name}' is no array of numbers: {error}") from error
    if array.dtype.kind not in "bfiu":
        raise ValueError(
            f"'{name}' must hold real numbers, got elements of type "
            f"{array.dtype}"
        )
    return array.astype(np.float64)


def literal(name: str) -> str:
    r"""A name that matplotlib shows as it is, dollars and all.

    Args:
        name: The name.
    """
    return name.replace("$", r"\$")


def to_labels(value: ArrayLike, name: str, num_classes: int) -> np.ndarray:
    r"""The whole numbers :math:`0, \ldots, K - 1` of a vector.

    Args:
        value: The labels, of shape :math:`[N]`.
        name: What to call them, for messages.
        num_classes: The number of classes :math:`K`.

    Raises:
        ValueError: If it is no vector, or a label is out of range.
    """
    labels = to_array(value, name)
    if labels.ndim != 1:
        raise ValueError(
            f"Expected '{name}' of shape [N], got {list(labels.shape)}"
        )
    wrong = ~np.isin(labels, np.arange(num_classes))
    if wrong.any():
        raise ValueError(
            f"'{name}' must hold whole numbers from 0 to {num_classes - 1}, "
            f"the {num_classes} classes, got {labels[wrong][0]:g} at "
            f"{np.flatnonzero(wrong)[0]}"
        )
    return labels.astype(np.int64)


def to_positions(
    value: ArrayLike,
    name: str,
    skeleton: Skeleton,
    up: Up = "y",
    num_frames: int | None = None,
) -> Array:
    r"""Positions in the plane or in space, turned so that y points up. Joints
    that were not seen, NaN, stay so.

    Args:
        value: The positions, of shape :math:`[V, C]`, or
            :math:`[T, V, C]` where there are frames, with :math:`C` 2 or 3.
        name: What to call them, for messages.
        skeleton: The skeleton.
        up: The axis that points up: :obj:`"y"`, :obj:`"-y"` (images, camera
            coordinates) or :obj:`"z"`. (default: :obj:`"y"`)
        num_frames: The number of frames :math:`T`, 0 for any.
            (default: no frames)

    Raises:
        ValueError: If the shape is another, a position is infinite or all
            are NaN, or :obj:`up` is none of its values.
    """
    if up not in get_args(Up):
        raise ValueError(f"'up' must be one of {get_args(Up)}, got {up!r}")
    array = to_array(value, name)
    expected: list[int | str] = [skeleton.num_joints, "2 or 3"]
    if num_frames is not None:
        expected.insert(0, num_frames or "T")
    fits = array.ndim == len(expected) and all(
        isinstance(size, str) or size == got
        for size, got in zip(expected, array.shape, strict=True)
    )
    if not fits or array.shape[-1] not in (2, 3) or not array.size:
        raise ValueError(
            f"Expected '{name}' of shape [{', '.join(map(str, expected))}] "
            f"for {skeleton!r}, got {list(array.shape)}"
        )
    if np.isinf(array).any():
        raise ValueError(
            f"'{name}' holds infinity; a joint that was not seen is NaN"
        )
    if not np.isfinite(array).all(-1).any():
        raise ValueError(f"'{name}' holds no position that is not NaN")
    if up == "y":
        return array
    if up == "-y":
        # Half a turn about x.
        return array * np.array([1.0, -1.0, -1.0])[: array.shape[-1]]
    if array.shape[-1] == 2:
        raise ValueError(
            f"'{name}' has no axis z that could point up: its shape is "
            f"{list(array.shape)}"
        )
    return np.stack([array[..., 0], array[..., 2], -array[..., 1]], -1)


def to_motions(
    poses: Mapping[str, ArrayLike],
    skeleton: Skeleton,
    up: Up = "y",
    num_frames: int = 0,
) -> dict[str, Array]:
    r"""Motions by name, all in the plane or all in space.

    Args:
        poses: The motions, of shape :math:`[T, V, C]`.
        skeleton: The skeleton.
        up: The axis that points up. (default: :obj:`"y"`)
        num_frames: The number of frames :math:`T` of each of them, 0 for
            any. (default: :obj:`0`)

    Raises:
        ValueError: If there are none, a shape is another, or some are in
            the plane and others in space.
    """
    motions = {
        name: to_positions(motion, name, skeleton, up, num_frames)
        for name, motion in poses.items()
    }
    if not motions:
        raise ValueError("There are no motions to show")
    channels = {name: motion.shape[-1] for name, motion in motions.items()}
    if len(set(channels.values())) > 1:
        raise ValueError(
            f"Motions must all have the same number of channels, got "
            f"{', '.join(f'{c} in {name!r}' for name, c in channels.items())}"
        )
    return motions


def bounds(motions: Mapping[str, Array]) -> tuple[Array, Array]:
    r"""The lowest and the highest coordinates of several motions, each of
    shape :math:`[C]`.

    Args:
        motions: The motions, of shape :math:`[T, V, C]`.
    """
    rows = [motion.reshape(-1, motion.shape[-1]) for motion in motions.values()]
    points = np.concatenate(rows)
    return np.nanmin(points, axis=0), np.nanmax(points, axis=0)


def to_graph(value: ArrayLike, name: str, skeleton: Skeleton) -> Array:
    r"""A graph of a skeleton's joints.

    Args:
        value: The graph, of shape :math:`[V, V]`.
        name: What to call it, for messages.
        skeleton: The skeleton.

    Raises:
        ValueError: If the shape is another.
    """
    graph = to_array(value, name)
    num_joints = skeleton.num_joints
    if graph.shape != (num_joints, num_joints):
        raise ValueError(
            f"Expected '{name}' of shape [{num_joints}, {num_joints}] for "
            f"{skeleton!r}, got {list(graph.shape)}"
        )
    return graph

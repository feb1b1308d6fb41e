"""Checks and conversions of the tensors and arrays that plots accept."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from symgnn_pyg.errors import check_choices, check_sizes, warn
from symgnn_pyg.skeleton import Skeleton, count_coordinates
from symgnn_pyg.visualization.colours import MOST_BODIES

Array = npt.NDArray[np.float64]
ArrayLike = Tensor | npt.ArrayLike
Up = Literal["y", "-y", "z"]
Centre = bool | int | str


def to_array(value: ArrayLike, name: str) -> Array:
    r"""Converts a tensor (on any device, of any real type, dense or sparse,
    with or without a gradient) or anything that NumPy accepts as an array.
    """
    if isinstance(value, Tensor) and not value.is_complex():
        return value.detach().to_dense().to("cpu", torch.float64).numpy()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"Expected '{name}' to be an array of numbers: {error}"
        ) from error
    if array.dtype.kind not in "bfiu":
        raise ValueError(
            f"'{name}' must hold real numbers, got elements of type "
            f"{array.dtype}"
        )
    return array.astype(np.float64)


def literal(name: object) -> str:
    r"""Escapes a name, so that Matplotlib does not read it as mathematics."""
    return str(name).replace("$", r"\$")


def to_labels(value: ArrayLike, name: str, num_classes: int) -> np.ndarray:
    r"""Converts a vector of labels :math:`0, \ldots, K - 1`."""
    labels = to_array(value, name)
    if labels.ndim != 1:
        raise ValueError(
            f"Expected '{name}' of shape [N], got {list(labels.shape)}"
        )
    wrong = ~np.isin(labels, np.arange(num_classes))
    if wrong.any():
        raise ValueError(
            f"'{name}' must hold integers from 0 to {num_classes - 1} for "
            f"{num_classes} classes, got {labels[wrong][0]:g} at index "
            f"{np.flatnonzero(wrong)[0]}"
        )
    return labels.astype(np.int64)


def to_positions(
    value: ArrayLike,
    name: str,
    skeleton: Skeleton,
    up: Up = "y",
    num_frames: int | None = None,
    several: bool = False,
) -> Array:
    r"""Converts positions in 2-D or 3-D, and rotates them so that y points up.
    Joints that were not seen (NaN) stay NaN.

    Args:
        value: The positions, of shape :math:`[V, C]`, or :math:`[T, V, C]`
            if :obj:`num_frames` is given; :math:`C` is 2 or 3.
        num_frames: The number of frames :math:`T`, 0 for any number.
            (default: a single pose)
        several: Whether a dimension of bodies :math:`M` may precede that of
            the joints. (default: :obj:`False`)
    """
    check_choices(get_args(Up), up=up)
    array = to_array(value, name)
    lead = "" if num_frames is None else f"{num_frames or 'T'}, "
    shapes = [lead, f"{lead}M, "][: 1 + several]
    if (
        not array.size
        or array.ndim - 2 not in [shape.count(",") for shape in shapes]
        or array.shape[-2] != skeleton.num_joints
        or array.shape[-1] not in (2, 3)
        or (num_frames and len(array) != num_frames)
    ):
        wanted = " or ".join(
            f"[{shape}{skeleton.num_joints}, 2 or 3]" for shape in shapes
        )
        raise ValueError(
            f"Expected '{name}' of shape {wanted} for {skeleton!r}, got "
            f"{list(array.shape)}"
        )
    if np.isinf(array).any():
        raise ValueError(
            f"'{name}' must not hold infinite values; use NaN for joints that "
            f"were not seen"
        )
    if not np.isfinite(array).all(-1).any():
        raise ValueError(
            f"Expected '{name}' to hold at least one position, got only NaN"
        )
    if up == "y":
        return array
    if up == "-y":
        # Half a turn about x, since a reflection would swap left and right.
        return array * np.array([1.0, -1.0, -1.0])[: array.shape[-1]]
    if array.shape[-1] == 2:
        raise ValueError(
            f"up='z' needs 3-D positions, got '{name}' of shape "
            f"{list(array.shape)}"
        )
    return np.stack([array[..., 0], array[..., 2], -array[..., 1]], -1)


def to_bodies(
    value: ArrayLike,
    name: str,
    skeleton: Skeleton,
    up: Up = "y",
    num_frames: int | None = None,
    num_coordinates: int | None = None,
) -> Array:
    r"""Converts the positions of one or several bodies as
    :func:`to_positions` does, to the shape :math:`[M, V, C]`, or
    :math:`[T, M, V, C]` if :obj:`num_frames` is given. Channels beyond
    :obj:`num_coordinates`, or else a score, are left out.
    """
    array = np.atleast_1d(to_array(value, name))
    if num_coordinates is None:
        num_coordinates = count_coordinates(array, skeleton)
        if num_coordinates < array.shape[-1]:
            warn(
                f"The third channel of '{name}' is not drawn: it lies between "
                f"0 and 1, as the scores of {skeleton.name} do; if it is a "
                f"coordinate, pass num_coordinates=3"
            )
    check_sizes(2, num_coordinates=num_coordinates)
    array = array[..., :num_coordinates]
    array = to_positions(array, name, skeleton, up, num_frames, several=True)
    if array.ndim == (2 if num_frames is None else 3):
        return array[..., None, :, :]
    if array.shape[-3] > MOST_BODIES:
        order = "[M, V, C]" if num_frames is None else "[T, M, V, C]"
        raise ValueError(
            f"'{name}' of shape {order} must hold at most {MOST_BODIES} "
            f"bodies (M), got {list(array.shape)}; select some of them, or "
            f"reorder the dimensions"
        )
    return array


def to_motions(
    poses: Mapping[str, ArrayLike],
    skeleton: Skeleton,
    up: Up = "y",
    num_frames: int = 0,
    centre: Centre = False,
    num_coordinates: int | None = None,
) -> dict[str, Array]:
    r"""Converts motions that are all 2-D or all 3-D, to the shape
    :math:`[T, M, V, C]`, with :obj:`centre` of the first body at the origin.
    """
    if centre is not False:
        joint = skeleton.centre if centre is True else skeleton.index(centre)
    motions = {}
    # The first motion with three channels decides for the others.
    of_three = num_coordinates
    for name, given in poses.items():
        has_three = np.shape(given)[-1:] == (3,)
        kept = of_three if has_three else num_coordinates
        motion = to_bodies(given, name, skeleton, up, num_frames, kept)
        if has_three:
            of_three = motion.shape[-1]
        if centre is not False:
            origin = motion[:, :1, joint : joint + 1]  # [T, 1, 1, C]
            unseen = np.isnan(origin).any(-1).ravel()
            if unseen.any():
                raise ValueError(
                    f"'centre' needs the position of "
                    f"{skeleton.joints[joint]!r} in every frame of '{name}', "
                    f"got NaN in frame {unseen.argmax()}; fill the gap or "
                    f"choose another joint"
                )
            motion = motion - origin
        motions[name] = motion
    if not motions:
        raise ValueError("Expected at least one motion, got none")
    channels = {name: motion.shape[-1] for name, motion in motions.items()}
    if len(set(channels.values())) > 1:
        raise ValueError(
            f"Motions must all have the same number of channels, got "
            f"{', '.join(f'{c} in {name!r}' for name, c in channels.items())}"
        )
    return motions


def bounds(motions: Mapping[str, Array]) -> tuple[Array, Array]:
    r"""The lowest and the highest coordinates of all motions, each of shape
    :math:`[C]`.
    """
    points = np.concatenate(
        [motion.reshape(-1, motion.shape[-1]) for motion in motions.values()]
    )
    return np.nanmin(points, axis=0), np.nanmax(points, axis=0)


def bone_path(pose: Array, pairs: Sequence[tuple[int, int]]) -> Array:
    r"""The bones between :math:`P` pairs of joints as a single line, of shape
    :math:`[3P, C]`, interrupted by NaN: faster to draw than :math:`P` lines.
    """
    ends = pose[np.array(pairs, dtype=int).reshape(-1, 2)]  # [P, 2, C]
    gap = np.full_like(ends[:, :1], np.nan)
    return np.concatenate([ends, gap], 1).reshape(-1, pose.shape[-1])


def to_graph(value: ArrayLike, name: str, skeleton: Skeleton) -> Array:
    r"""Converts a graph of a skeleton's joints, of shape :math:`[V, V]`."""
    graph = to_array(value, name)
    shape = [skeleton.num_joints] * 2
    if list(graph.shape) != shape:
        raise ValueError(
            f"Expected '{name}' of shape {shape} for {skeleton!r}, got "
            f"{list(graph.shape)}"
        )
    return graph

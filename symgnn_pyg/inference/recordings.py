r"""Recordings in any array, as tensors, and answers in the same kind."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from symgnn_pyg.io import fill_gaps
from symgnn_pyg.skeleton import Skeleton


class Recordings(NamedTuple):
    r"""The recordings of one call.

    Args:
        frames: The frames of each recording, each of shape :math:`[T, V, C]`.
        like: An array of the kind to return.
        single: Whether the recording was given without a batch dimension.
    """

    frames: list[Tensor]
    like: np.ndarray | Tensor
    single: bool

    def name_of(self, i: int) -> str:
        r"""The name of a recording in error messages."""
        return "motion" if self.single else f"motion[{i}]"

    def returned(self, tensor: Tensor) -> Any:
        r"""A result as the kind of array that was given."""
        if isinstance(self.like, Tensor):
            like = self.like if self.like.is_floating_point() else tensor
            return tensor.to(self.like.device, like.dtype)
        array = tensor.cpu().numpy()
        floating = self.like.dtype.kind == "f"
        return array.astype(self.like.dtype) if floating else array


def read_recordings(
    motion: ArrayLike | Tensor | Sequence[ArrayLike | Tensor],
    skeleton: Skeleton,
    num_channels: int,
    num_observed: int,
) -> Recordings:
    r"""Reads one recording or several, and checks their shapes.

    Args:
        motion: One recording, of shape :math:`[T, V, C]`, or several, of shape
            :math:`[N, T, V, C]` or as a list.
        skeleton: The skeleton.
        num_channels: The number of channels :math:`C`.
        num_observed: The smallest number of frames.

    Raises:
        TypeError: If :obj:`motion` does not hold numbers.
        ValueError: If it has another shape.
    """
    pose_shape = (skeleton.num_joints, num_channels)
    given = _listed(motion)
    if given is not None:
        for i, each in enumerate(given):
            if each.ndim != 3:
                raise ValueError(
                    f"Expected each recording of a list as [T, "
                    f"{pose_shape[0]}, {pose_shape[1]}], got "
                    f"{list(each.shape)} for 'motion[{i}]'"
                )
            check_shape(each, pose_shape, num_observed, f"motion[{i}]")
        return Recordings([*map(_tensor, given)], given[0], single=False)
    array = _array(motion, "motion")
    check_shape(array, pose_shape, num_observed, "motion")
    tensor = _tensor(array)
    single = tensor.dim() == 3
    frames = [tensor] if single else list(tensor)
    return Recordings(frames, array, single)


def check_shape(
    motion: np.ndarray | Tensor,
    pose_shape: tuple[int, int],
    num_observed: int,
    name: str,
) -> None:
    r"""Refuses an array that is not of shape :math:`[T, V, C]` or
    :math:`[N, T, V, C]`, with the call that makes it one.
    """
    shape = list(motion.shape)
    num_joints, num_channels = pose_shape
    fits = len(shape) in (3, 4) and tuple(shape[-2:]) == pose_shape
    if fits and shape[-3] >= num_observed and shape[0] > 0:
        return
    wanted = (
        f"Expected '{name}' of shape [T, {num_joints}, {num_channels}] "
        f"(frames, joints, channels) or [N, T, {num_joints}, {num_channels}], "
        f"with T of at least {num_observed}, got {shape}"
    )
    if fits and shape[0] == 0 and len(shape) == 4:
        raise ValueError(f"{wanted}: there are no recordings")
    if fits:
        raise ValueError(
            f"{wanted}: {shape[-3]} frames are too few. Pass a longer "
            f"recording, or give the frames one by one to a Stream, which "
            f"answers from the first frame on"
        )
    cure = _cure(shape, pose_shape, num_observed)
    if cure:
        numpy = isinstance(motion, np.ndarray)
        method = "transpose" if numpy else "permute"
        raise ValueError(f"{wanted}; {cure.format(name=name, method=method)}")
    if len(shape) in (3, 4) and shape[-1] == num_channels:
        wanted += f"; the network was trained on {num_joints} joints"
    elif len(shape) in (3, 4) and shape[-2] == num_joints:
        wanted += (
            f"; the network was trained on {num_channels} channels: pass only "
            f"those, such as {name}[..., :{num_channels}]"
            if shape[-1] > num_channels
            else f"; the network was trained on {num_channels} channels"
        )
    raise ValueError(wanted)


def _cure(shape: list[int], pose_shape: tuple[int, int], least: int) -> str:
    if tuple(shape) == pose_shape:
        return (
            "this is a single pose: give poses one by one to a Stream, which "
            "answers from the first one on"
        )
    if len(shape) in (2, 3) and shape[-1] == pose_shape[0] * pose_shape[1]:
        lead = ", ".join(map(str, shape[:-1]))
        return (
            f"if the channels of each joint stand together, pass "
            f"{{name}}.reshape({lead}, {pose_shape[0]}, {pose_shape[1]})"
        )
    order = _order(shape, pose_shape, least)
    if order is None:
        return ""
    call = f"{{name}}.{{method}}({', '.join(map(str, order))})"
    if len(shape) < 5:
        return f"it looks transposed: pass {call}"
    bodies = shape[order[1]]
    sizes = (shape[order[2]], *pose_shape)
    return (
        f"it looks like several bodies per sample: pass {call}.reshape(-1, "
        f"{', '.join(map(str, sizes))}) and num_bodies=[{bodies}] * "
        f"{shape[order[0]]}"
    )


def _order(
    shape: list[int], pose_shape: tuple[int, int], least: int
) -> tuple[int, ...] | None:
    """The order of axes that turns a shape into [*, T, V, C], if any."""
    if len(shape) not in (3, 4, 5):
        return None
    found = [
        order
        for order in permutations(range(len(shape)))
        if (shape[order[-2]], shape[order[-1]]) == pose_shape
        and shape[order[-3]] >= least
        # Samples come before bodies, which are few.
        and (len(shape) < 5 or order[0] < order[1])
    ]
    # The longest axis is time, unless samples come first anyway.
    return max(found, key=lambda o: (o[0] == 0, shape[o[-3]]), default=None)


def check_bodies(
    num_bodies: Sequence[int] | Tensor | None, total: int
) -> Tensor | None:
    r"""The numbers of bodies of scenes as a tensor.

    Raises:
        ValueError: If they do not.
    """
    if num_bodies is None:
        return None
    bodies = torch.as_tensor(num_bodies)
    if (
        bodies.dim() != 1
        or bodies.is_floating_point()
        or bool((bodies < 1).any())
        or int(bodies.sum()) != total
    ):
        raise ValueError(
            f"Expected 'num_bodies' to list the number of bodies of each "
            f"scene, {total} in all as in 'motion', got {bodies.tolist()}"
        )
    return bodies.long()


def check_finite(
    frames: Tensor, skeleton: Skeleton, start: int, name: str
) -> None:
    r"""Refuses NaN and infinite values, naming the first."""
    bad = ~frames.isfinite()
    if not bad.any():
        return
    frame, joint, _ = bad.nonzero()[0].tolist()
    if frames.isinf().any():
        frame, joint, _ = frames.isinf().nonzero()[0].tolist()
        what, cure = "is infinite", "replace such values by NaN"
    else:
        what = "is NaN"
        cure = "pass fill_gaps=True to interpolate missing joints"
    raise ValueError(
        f"Expected finite numbers in '{name}', but joint "
        f"{skeleton.joints[joint]!r} {what} in frame {start + frame} (one of "
        f"{int(bad.any(dim=-1).sum())} such poses); {cure}"
    )


def filled(frames: Tensor, name: str) -> Tensor:
    r"""The frames without gaps; see :func:`symgnn_pyg.io.fill_gaps`."""
    return torch.from_numpy(fill_gaps(frames.cpu().numpy(), name)).to(frames)


def _listed(motion: Any) -> list[np.ndarray | Tensor] | None:
    """The recordings of a list, or :obj:`None` if it is one array."""
    if not isinstance(motion, (list, tuple)) or not motion:
        return None
    if not any(isinstance(each, (np.ndarray, Tensor)) for each in motion):
        try:
            np.asarray(motion)
            return None
        except ValueError:  # Lists of different lengths.
            pass
    given = [_array(each, f"motion[{i}]") for i, each in enumerate(motion)]
    # A list of poses is one recording.
    return None if all(each.ndim == 2 for each in given) else given


def _array(motion: Any, name: str) -> np.ndarray | Tensor:
    if isinstance(motion, Tensor):
        if motion.is_complex() or motion.dtype == torch.bool:
            raise TypeError(
                f"Expected numbers in '{name}', got a tensor of {motion.dtype}"
            )
        return motion.detach()
    if isinstance(motion, np.ma.MaskedArray):
        motion = motion.astype(np.result_type(motion.dtype, np.float32))
        motion = motion.filled(np.nan)
    if isinstance(motion, (list, tuple)) and any(
        isinstance(each, Tensor) for each in motion
    ):
        return torch.stack([*map(torch.as_tensor, motion)]).detach()
    try:
        array = np.asarray(motion)
    except ValueError as error:
        raise ValueError(
            f"Expected numbers of shape [T, V, C] in '{name}', got lists of "
            f"different lengths: {error}"
        ) from error
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"Expected numbers in '{name}', got {type(motion).__name__} of "
            f"dtype {array.dtype}; convert it with numpy.asarray(..., "
            f"dtype=numpy.float32)"
        )
    return array


def _tensor(array: np.ndarray | Tensor) -> Tensor:
    if isinstance(array, Tensor):
        return array
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
    if kind.itemsize > 8:
        kind = np.dtype(np.float64)
    # Own byte order, contiguous and writable, as torch requires.
    return torch.from_numpy(
        np.require(array, kind.newbyteorder("="), ["C", "W"])
    )

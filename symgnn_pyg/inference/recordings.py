r"""Recordings in any array, as tensors, and answers in the same kind."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton


class Recordings(NamedTuple):
    r"""The recordings of one call."""

    frames: list[Tensor]  # Each [T, V, C].
    like: np.ndarray | Tensor  # An array of the kind to return.
    single: bool  # Whether there was no batch dimension.

    def name_of(self, i: int) -> str:
        r"""The name of a recording in error messages."""
        return "motion" if self.single else f"motion[{i}]"

    def returned(self, tensor: Tensor) -> Any:
        r"""A result as the kind of array that was given."""
        if isinstance(self.like, Tensor):
            like = self.like if self.like.is_floating_point() else tensor
            return tensor.to(self.like.device, like.dtype)
        # NumPy has no bfloat16.
        dtype = torch.promote_types(tensor.dtype, torch.float32)
        array = tensor.cpu().to(dtype).numpy()
        floating = self.like.dtype.kind == "f"
        return array.astype(self.like.dtype) if floating else array


def read_recordings(
    motion: ArrayLike | Tensor | Sequence[ArrayLike | Tensor],
    pose_shape: tuple[int, int],
    num_observed: int,
) -> Recordings:
    r"""Reads one recording or several as for :class:`PoseModel`, and checks
    their shapes: of poses [V, C], and at least :obj:`num_observed` frames.
    """
    given = _listed(motion)
    if given is not None:
        for i, each in enumerate(given):
            if each.ndim != 3:
                raise ValueError(
                    f"Expected each recording of a list as [T, "
                    f"{pose_shape[0]}, {pose_shape[1]}], got "
                    f"{list(each.shape)} for 'motion[{i}]'"
                )
            _check_shape(each, pose_shape, num_observed, f"motion[{i}]")
        return Recordings([*map(as_tensor, given)], given[0], single=False)
    array = as_array(motion, "motion")
    _check_shape(array, pose_shape, num_observed, "motion")
    tensor = as_tensor(array)
    single = tensor.dim() == 3
    return Recordings([tensor] if single else [*tensor], array, single)


def _check_shape(
    motion: np.ndarray | Tensor,
    pose_shape: tuple[int, int],
    num_observed: int,
    name: str,
) -> None:
    r"""Checks that an array is of shape [T, V, C] or [N, T, V, C]; the error
    tells the call that makes it one.
    """
    shape = list(motion.shape)
    num_joints, num_channels = pose_shape
    cure = ""
    if len(shape) not in (3, 4) or tuple(shape[-2:]) != pose_shape:
        method = "transpose" if isinstance(motion, np.ndarray) else "permute"
        cure = _cure(shape, pose_shape, num_observed, name, method)
    elif len(shape) == 4 and shape[0] == 0:
        cure = ": there are no recordings"
    elif shape[-3] < num_observed:
        cure = f": {shape[-3]} frames are too few"
        if num_observed > 1:
            cure += (
                ". Pass a longer recording, or give the frames one by one to a "
                "Stream, which answers from the first frame on"
            )
    else:
        return
    raise ValueError(
        f"Expected '{name}' of shape [T, {num_joints}, {num_channels}] "
        f"(frames, joints, channels) or [N, T, {num_joints}, {num_channels}], "
        f"with T of at least {num_observed}, got {shape}{cure}"
    )


def _cure(
    shape: list[int],
    pose_shape: tuple[int, int],
    least: int,
    name: str,
    method: str,
) -> str:
    num_joints, num_channels = pose_shape
    if tuple(shape) == pose_shape:
        return (
            "; this is a single pose: give poses one by one to a Stream, which "
            "answers from the first one on"
        )
    if len(shape) in (2, 3) and shape[-1] == num_joints * num_channels:
        lead = ", ".join(map(str, shape[:-1]))
        return (
            f"; if the channels of each joint stand together, pass "
            f"{name}.reshape({lead}, {num_joints}, {num_channels})"
        )
    order = _order(shape, pose_shape, least)
    if order is not None:
        call = f"{name}.{method}({', '.join(map(str, order))})"
        if len(shape) < 5:
            return f"; it looks transposed: pass {call}"
        sizes = ", ".join(map(str, (shape[order[2]], *pose_shape)))
        return (
            f"; it looks like several bodies per sample: pass "
            f"{call}.reshape(-1, {sizes}) and num_bodies=[{shape[order[1]]}] "
            f"* {shape[order[0]]}"
        )
    if len(shape) not in (3, 4):
        return ""
    if shape[-1] == num_channels:
        return f"; the network was trained on {num_joints} joints"
    if shape[-2] != num_joints:
        return ""
    cure = f"; the network was trained on {num_channels} channels"
    if shape[-1] > num_channels:
        cure += f": pass only those, such as {name}[..., :{num_channels}]"
    return cure


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
    r"""The number of bodies of each scene, which must add up to the
    :obj:`total`, as a tensor.
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
    worst, what = frames.isinf(), "is infinite"
    cure = "replace such values by NaN"
    if not worst.any():
        worst, what = bad, "is NaN"
        cure = "pass fill_gaps=True to interpolate missing joints"
    frame, joint, _ = worst.nonzero()[0].tolist()
    raise ValueError(
        f"Expected finite numbers in '{name}', but joint "
        f"{skeleton.joints[joint]!r} {what} in frame {start + frame} (one of "
        f"{int(bad.any(dim=-1).sum())} such poses); {cure}"
    )


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
    given = [as_array(each, f"motion[{i}]") for i, each in enumerate(motion)]
    # A list of poses is one recording.
    return None if all(each.ndim == 2 for each in given) else given


def as_array(motion: Any, name: str) -> np.ndarray | Tensor:
    r"""Refuses what does not hold real numbers. Masked ones become NaN."""
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
            f"Expected numbers in '{name}', got lists of different lengths: "
            f"{error}"
        ) from error
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"Expected numbers in '{name}', got {type(motion).__name__} of "
            f"dtype {array.dtype}; convert it with numpy.asarray(..., "
            f"dtype=numpy.float32)"
        )
    return array


def as_tensor(array: np.ndarray | Tensor) -> Tensor:
    r"""The numbers of any array as a tensor."""
    if isinstance(array, Tensor):
        return array
    # As torch requires: in native byte order, contiguous and writable.
    size = min(array.itemsize, 8) if array.dtype.kind == "f" else 8
    return torch.from_numpy(np.require(array, f"f{size}", ["C", "W"]))

"""Arrays of other libraries as frames of this one."""

import math
from collections.abc import Sequence

import numpy as np
import roma
import torch

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.npy import check_finite, check_real
from symgnn_pyg.ops import interpolate_frames

# More channels per joint than any of the layouts that are told apart.
MOST_CHANNELS = 4
# Relative: programs round the time of a frame to a few digits.
SAME_RATE = 0.01
# How many times as many frames resampling may make.
MOST_STRETCHED = 100


def check_axes(axes: str | None) -> None:
    r"""Refuses an order of axes that is not one of T, V, C and M."""
    letters = sorted((axes or "").removeprefix("N"))
    if axes is not None and letters not in ([*"CTV"], [*"CMTV"]):
        raise ValueError(
            f"Expected 'axes' to name each of T (frames), V (joints), C "
            f"(channels) and, for several bodies, M once, such as 'CTVM', got "
            f"{axes!r}"
        )


def as_frames(
    array: np.ndarray,
    num_joints: int,
    name: str,
    axes: str | None = None,
    fill: bool = False,
) -> np.ndarray:
    r"""A recording from an array, checked: its axes in the order of this
    library, without padding, and without gaps.

    Args:
        array: The recording. Masked numbers are missing.
        num_joints: The number of joints :math:`V`.
        name: The name of the recording in error messages.
        axes: The order of its axes, such as :obj:`"CTVM"`.
            (default: :obj:`"TVC"` or :obj:`"MTVC"`)
        fill: Whether to fill gaps, see :func:`fill_gaps`, and to leave out
            bodies that are never seen, instead of refusing them.
            (default: :obj:`False`)

    Returns:
        The recording, of shape :math:`[T, V, C]` or :math:`[M, T, V, C]`.

    Raises:
        DataError: If the array does not hold finite real numbers, or has
            another shape.
        EmptyRecordingError: If it is zero throughout.
    """
    check_real(array.dtype, name)
    if np.ma.isMaskedArray(array):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    frames = order_axes(array, axes, num_joints, name)
    if fill and frames.ndim == 4:
        # A body that is never seen is absent, like one that is zero.
        seen = ~np.isnan(frames).all(axis=(1, 2, 3))
        frames = frames[seen] if seen.any() else frames
    frames = drop_padding(frames, name)
    if fill:
        frames = fill_gaps(frames, name)
    check_finite(frames, name)
    return frames


def order_axes(
    array: np.ndarray, axes: str | None, num_joints: int, name: str
) -> np.ndarray:
    r"""A recording with its axes in the order of this library. If its shape
    looks like another order, :obj:`axes` must name it.
    """
    shape = list(array.shape)
    has = f"{name} has shape {shape}, expected"
    if axes is None and array.ndim not in (3, 4):
        raise DataError(f"{has} [T, V, C] or [M, T, V, C]")
    own = "TVC" if array.ndim == 3 else "MTVC"
    likely = _guess(array.shape, num_joints) if axes is None else ""
    if likely:
        order = [likely.index(letter) for letter in own]
        raise DataError(
            f"{has} {_named(own)}; it looks like {_named(likely)}: pass "
            f"axes={likely!r}, or transpose it with "
            f"array.transpose({', '.join(map(str, order))})"
            + f"; if it is {_named(own)}, pass axes={own!r}"
            * (shape[-2] == num_joints)
        )
    axes = own if axes is None else axes.removeprefix("N")
    if len(axes) != array.ndim or shape[axes.index("V")] != num_joints:
        raise DataError(f"{has} {_named(axes)} with V = {num_joints} joints")
    if axes == own:
        return array
    return array.transpose([axes.index(letter) for letter in own])


def _guess(shape: tuple[int, ...], num_joints: int) -> str:
    """The order that a shape looks like if it is not this library's."""
    # So few joints could also be channels.
    few = num_joints <= MOST_CHANNELS
    if len(shape) == 3:
        if shape[1] == num_joints or few:
            return ""
        for axes in ("CTV", "TCV", "VTC", "VCT"):
            sizes = dict(zip(axes, shape, strict=True))
            if sizes["V"] == num_joints and sizes["C"] <= MOST_CHANNELS:
                return axes
        return ""
    if len(shape) != 4 or (few and shape[2] != num_joints):
        return ""
    first, second, third, last = shape
    if third == num_joints:
        # Channels first and one or two bodies last, as in ST-GCN.
        if first in (2, 3) and last in (1, 2):
            return "CTVM"
        # More bodies than frames.
        return "TMVC" if first > second else ""
    for axes in ("CTMV", "MCTV", "TMCV", "MTCV", "CMTV", "TVCM", "TVMC"):
        sizes = dict(zip(axes, shape, strict=True))
        if (
            sizes["V"] == num_joints
            and sizes["C"] in (2, 3)
            and sizes["T"] > sizes["M"]
            and (sizes["M"] <= 2 or sizes["C"] == 3)
        ):
            return axes
    return ""


def _named(axes: str) -> str:
    return f"[{', '.join(axes)}]"


def drop_padding(frames: np.ndarray, name: str) -> np.ndarray:
    r"""A recording without its padding: if it may have several bodies, those
    that are zero throughout, and frames at the end in which all are zero.
    """
    if not frames.any():
        raise EmptyRecordingError(
            f"{name} is zero throughout: it shows no body"
        )
    if frames.ndim == 3:
        return frames
    frames = frames[frames.any(axis=(1, 2, 3))]
    last = np.flatnonzero(frames.any(axis=(0, 2, 3)))[-1]
    return frames[:, : last + 1]


def find_zeros(frames: np.ndarray, joints: Sequence[str]) -> str:
    r"""Which zeros of positions look like padding or gaps, with the cure: those
    of all joints at the end, and those that a joint reaches and leaves by a
    jump, more than three times as long as any other step that it takes.

    Args:
        frames: The recording, of shape :math:`[T, V, C]` or
            :math:`[M, T, V, C]`.
        joints: The names of its joints.
    """
    count, notes = frames.shape[-3], []
    if frames.ndim == 3:
        shown = (frames != 0).any(axis=(1, 2))
        padding = int(shown[::-1].argmax()) if shown.any() else 0
        bodies = [frames[: count - padding]]
        if padding:
            notes.append(
                f"the last {padding} of {count} frames are zero: cut them if "
                f"they are padding"
            )
    else:  # A body that is zero throughout a frame is absent.
        bodies = [body[body.any(axis=(1, 2))] for body in frames]
    lost: dict[str, int] = {}
    for body in bodies:
        zero = (body == 0).all(axis=-1)  # [T, V]
        some = zero.any(axis=0) & ~zero.all(axis=0)
        for v in np.flatnonzero(some).tolist():
            track, at = body[:, v].astype(np.float64), zero[:, v]
            steps = np.linalg.norm(np.diff(track, axis=0), axis=-1)
            seen = steps[~at[1:] & ~at[:-1]]
            jumps = steps[at[1:] != at[:-1]]
            if seen.size and jumps.min() > 3 * seen.max():
                lost[joints[v]] = lost.get(joints[v], 0) + int(at.sum())
    if lost:
        joint = max(lost, key=lambda joint: lost[joint])
        others = f" (one of {len(lost)} such joints)" * (len(lost) > 1)
        notes.append(
            f"joint {joint!r} is zero in {lost[joint]} of {count} frames"
            f"{others}: where a joint was not seen, write NaN, and pass "
            f"fill_gaps=True"
        )
    return "; ".join(notes)


def fill_gaps(frames: np.ndarray, name: str) -> np.ndarray:
    r"""A recording whose missing joints (those with a channel that is NaN)
    are interpolated linearly between the frames before and after, and held
    before the first and after the last frame where the joint was seen.

    Args:
        frames: The recording, of shape :math:`[T, V, C]` or
            :math:`[M, T, V, C]`.
        name: The name of the recording in error messages.

    Raises:
        DataError: If a joint is missing in every frame.
    """
    missing = np.isnan(frames).any(axis=-1)  # [*, T, V]
    if not missing.any():
        return frames
    absent = missing.all(axis=-2)
    if absent.any():
        joint = int(np.argwhere(absent)[0, -1])
        raise DataError(
            f"{name}: joint {joint} is missing in every frame; leave it out of "
            f"the skeleton, or leave out the recording"
        )
    filled = frames.copy()
    times = np.arange(frames.shape[-3])
    for place in np.ndindex(*absent.shape):
        at = (*place[:-1], slice(None), place[-1])
        track, seen = filled[at], ~missing[at]  # [T, C], a view; [T]
        for channel in track.T:
            channel[~seen] = np.interp(times[~seen], times[seen], channel[seen])
    return filled


def same_rate(one: float, other: float) -> bool:
    r"""Whether two frame rates differ by 1 % at most, as by rounding.

    Args:
        one: A number of frames per second.
        other: Another one.
    """
    return math.isclose(one, other, rel_tol=SAME_RATE)


def resample_frames(
    frames: np.ndarray,
    source_rate: float | np.ndarray,
    target_rate: float,
    kind: str = "position",
) -> np.ndarray:
    r"""Resamples a recording to another frame rate by linear interpolation,
    from its first frame on. It stays as it is if the rates are the same
    (:func:`same_rate`).

    Exponential maps may jump by a whole turn from frame to frame. They are
    interpolated as rotation matrices, each replaced by the nearest rotation.

    Args:
        frames: The recording, of shape :math:`[T, V, C]` or
            :math:`[M, T, V, C]`.
        source_rate: Its frames per second, or the increasing times of its
            frames in seconds, of shape :math:`[T]`.
        target_rate: The frames per second of the result.
        kind: What the channels hold: :obj:`"position"`, or :obj:`"rotation"`
            for exponential maps in radians. (default: :obj:`"position"`)

    Returns:
        The recording, with :math:`\lfloor s \cdot \textrm{target} \rfloor +
        1` frames if it lasts :math:`s` seconds, which are :math:`(T - 1) /
        \textrm{source}`.

    Raises:
        DataError: If there would be 100 times as many frames.
    """
    last = frames.shape[-3] - 1
    if isinstance(source_rate, np.ndarray):
        own = source_rate - source_rate[0]
    elif same_rate(source_rate, target_rate):
        return frames
    else:
        own = np.arange(last + 1) / source_rate
    # The last frame stays even if the rate is that of a rounded frame time.
    count = own[-1] * target_rate + 0.01
    if not count < MOST_STRETCHED * len(own):
        raise DataError(
            f"{len(own)} frames in {own[-1]:.4g} s would become {count:.4g} at "
            f"{target_rate:.4g} per second; check the unit of their times"
        )
    wanted = np.arange(int(count) + 1) / target_rate
    times = torch.from_numpy(np.interp(wanted, own, np.arange(last + 1.0)))
    motion = torch.from_numpy(frames)
    if kind == "rotation":
        motion = roma.rotvec_to_rotmat(motion).flatten(-2)
    found = interpolate_frames(motion.flatten(-2), times)
    found = found.unflatten(-1, motion.shape[-2:])
    if kind == "rotation":
        missing = found.isnan().any(dim=-1, keepdim=True)
        matrix = found.masked_fill(missing, 0.0).unflatten(-1, (3, 3))
        rotation = roma.rotmat_to_rotvec(roma.special_procrustes(matrix))
        found = rotation.masked_fill(missing, torch.nan)
    return found.numpy()

"""Recordings from files of any format."""

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from symgnn_pyg.errors import DataError, data_error
from symgnn_pyg.io import (
    POSITIONS,
    Motion,
    Tracks,
    fill_gaps,
    read_amass,
    read_bvh_rotations,
    read_coco,
    read_csv,
    read_deeplabcut,
    read_kinetics,
    read_mediapipe,
    read_npy,
    read_ntu,
    read_openpose,
    read_recording,
    read_sleap,
    resample_frames,
    same_rate,
    select_joints,
)
from symgnn_pyg.skeleton import Skeleton

# Formats that the suffix of a file does not determine.
FORMATS: dict[str, Callable[..., Any]] = {
    "amass": read_amass,
    "coco": read_coco,
    "deeplabcut": read_deeplabcut,
    "kinetics": read_kinetics,
    "mediapipe": read_mediapipe,
    "ntu": read_ntu,
    "openpose": read_openpose,
    "sleap": read_sleap,
}
LAYOUTS = {"kinetics": "kinetics18", "ntu": "ntu25"}
# Those whose third channel is a score.
SCORED = ("coco", "deeplabcut", "kinetics", "openpose", "sleap")
# Those whose second axis points down.
IN_IMAGES = (*SCORED, "mediapipe")
ARRAYS, TABLES = (".npy", ".npz"), (".csv", ".tsv")
# The options for reading, and the files that they apply to.
APPLIES = {
    "asf": (".amc",),
    "axes": ARRAYS,
    "key": (".npz",),
    "index_columns": TABLES,
    "max_bodies": ("coco", "kinetics", "mediapipe", "ntu", "openpose"),
}


def read_input(
    path: Path,
    skeleton: Skeleton | None,
    args: argparse.Namespace,
    frame_rate: float | None,
    kind: str = "position",
) -> Motion:
    r"""Reads a recording as :func:`~symgnn_pyg.io.read_recording` does, or in
    one of the :obj:`FORMATS`, with the options of
    :func:`~symgnn_pyg.cli.arguments.add_reading`. Of files that bring their own
    skeleton, the joints of :obj:`skeleton` are selected by name. Joints that an
    estimator did not see, to which it gives the score 0, are NaN.
    """
    name, suffix, form = str(path), path.suffix.lower(), args.format
    if form is None and suffix == ".skeleton":
        form = "ntu"
    check_options(args, [form or suffix], name)
    options = {option: getattr(args, option) for option in APPLIES}
    given = {key: value for key, value in options.items() if value is not None}
    if form is None:
        given |= {"fill": args.fill_gaps, "kind": kind}
        try:
            motion = read_recording(path, name, skeleton, **given)
        except DataError:
            if frame_rate is None:
                raise
            given["frame_rate"] = frame_rate
            motion = read_recording(path, name, skeleton, **given)
            print(
                f"{path}: its times are uneven; resampled to {frame_rate:.4g} "
                f"frames per second"
            )
    else:
        motion = _as_motion(FORMATS[form](path, **given), form, skeleton, name)
    frames = motion.frames
    if skeleton is not None and motion.skeleton is not skeleton:
        kept = select_joints(motion.skeleton.joints, skeleton, name)
        frames = frames[..., kept, :]
    if form in SCORED:
        frames = np.where(frames[..., 2:] == 0, np.nan, frames)
    if form is not None and args.fill_gaps:
        frames = fill_gaps(frames, name)
    # Torch warns about arrays that are not writable, such as those of a file.
    frames = np.require(frames, requirements=["C", "W"])
    return motion._replace(frames=frames, skeleton=skeleton or motion.skeleton)


def _as_motion(
    found: Any, form: str, skeleton: Skeleton | None, name: str
) -> Motion:
    if isinstance(found, Motion):
        return found
    if isinstance(found, np.ndarray):
        return Motion(found, Skeleton.get(LAYOUTS[form]))
    assert isinstance(found, Tracks)
    if skeleton is None:
        raise DataError(
            f"{name} names joints, but no bones: pass a 'skeleton' of "
            f"{', '.join(found.joints[:20])}"
        )
    kept = select_joints(found.joints, skeleton, name)
    return Motion(found.frames[..., kept, :], skeleton)


def check_options(
    args: argparse.Namespace, kinds: Iterable[str], what: str
) -> None:
    r"""Refuses options for reading that apply to none of the kinds of files."""
    kinds = set(kinds)
    for name, known in APPLIES.items():
        if getattr(args, name, None) is not None and kinds.isdisjoint(known):
            raise ValueError(
                f"'{name}' applies to {' and '.join(known)} files, got it for "
                f"{what}: leave it out"
            )


def check_kind(path: Path, form: str | None, about: Mapping[str, Any]) -> None:
    r"""Refuses positions for a model of rotations, and the other way round,
    where the format of the recording tells.
    """
    wanted, own = about.get("kind"), kind_of(path, form)
    if own and wanted not in (None, own):
        maps = " (exponential maps)" if wanted == "rotation" else ""
        raise ValueError(
            f"{path} is read as {own}s, but the model takes {wanted}s: pass an "
            f"array or a table of {wanted}s{maps}"
        )


def kind_of(path: Path, form: str | None) -> str | None:
    r"""What a recording holds, where its format tells."""
    if form == "amass":
        return "rotation"
    told = form is not None or path.suffix.lower() in POSITIONS
    return "position" if told else None


def resampled(
    motion: Motion, frame_rate: float | None, path: Path, kind: str = "position"
) -> Motion:
    r"""A recording at another frame rate, by interpolation, which is printed.
    Nothing changes if either rate is unknown.
    """
    own = motion.frame_rate
    if not (own and frame_rate) or same_rate(own, frame_rate):
        return motion
    print(
        f"{path}: resampled from {own:.4g} to {frame_rate:.4g} frames per "
        f"second"
    )
    with data_error(str(path)):
        frames = resample_frames(motion.frames, own, frame_rate, kind)
    return motion._replace(frames=frames, frame_rate=frame_rate)


def read_rotations(
    args: argparse.Namespace, frame_rate: float | None
) -> tuple[Motion, np.ndarray]:
    r"""Reads a BVH file as :func:`~symgnn_pyg.io.read_bvh_rotations` does, at
    another frame rate if one is given.
    """
    check_options(args, [".bvh"], str(args.input))
    motion, translation = read_bvh_rotations(args.input)
    own = motion.frame_rate
    if own and frame_rate:
        translation = resample_frames(translation, own, frame_rate)
    return resampled(motion, frame_rate, args.input, "rotation"), translation


def share_missing(
    file: Path | bytes, name: str, skeleton: Skeleton, args: argparse.Namespace
) -> float:
    r"""The share of the numbers of an array or a table that are NaN or empty;
    0 for other formats, which have no gaps.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in ARRAYS:
        numbers = read_npy(file, name, True, args.key)
    elif suffix in TABLES:
        columns, rate = args.index_columns, args.frame_rate
        numbers = read_csv(file, skeleton.joints, name, True, columns, rate)
    else:
        return 0.0
    return float(np.isnan(numbers).mean())

"""Recordings from files of any format and back."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.files import replacing
from symgnn_pyg.io import (
    POSITIONS,
    Motion,
    Tracks,
    fill_gaps,
    read_amass,
    read_bvh_rotations,
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
    "deeplabcut": read_deeplabcut,
    "kinetics": read_kinetics,
    "mediapipe": read_mediapipe,
    "ntu": read_ntu,
    "openpose": read_openpose,
    "sleap": read_sleap,
}
LAYOUTS = {"kinetics": "kinetics18", "ntu": "ntu25"}
# Those whose third channel is a score.
SCORED = ("deeplabcut", "kinetics", "openpose", "sleap")
# Those whose second axis points down.
IN_IMAGES = (*SCORED, "mediapipe")
AXES = ("x", "y", "z")
ARRAYS, TABLES = (".npy", ".npz"), (".csv", ".tsv")
File = str | os.PathLike[str] | bytes
# The files that an option applies to.
APPLIES = {
    "asf": (".amc",),
    "axes": ARRAYS,
    "key": (".npz",),
    "index_columns": TABLES,
    "max_bodies": ("kinetics", "mediapipe", "ntu", "openpose"),
    "plotlyjs": (".html",),
}


def read_motion(
    path: Path,
    skeleton: Skeleton | None = None,
    *,
    form: str | None = None,
    asf: Path | None = None,
    axes: str | None = None,
    key: str | None = None,
    index_columns: int | None = None,
    max_bodies: int | None = None,
    fill: bool = False,
) -> Motion:
    r"""Reads a recording as :func:`~symgnn_pyg.io.read_recording` does, or in
    one of the :obj:`FORMATS`. Of files that bring their own skeleton, the
    joints of :obj:`skeleton` are selected by name.

    Raises:
        DataError: If it cannot be read, or its skeleton is unknown or lacks
            joints.
        ValueError: If an option does not apply to such a file.
    """
    if form is None and path.suffix.lower() == ".skeleton":
        form = "ntu"
    check_options(
        [path.suffix.lower() if form is None else form],
        str(path),
        asf=asf,
        axes=axes,
        key=key,
        index_columns=index_columns,
        max_bodies=max_bodies,
    )
    if form is None:
        motion = read_recording(
            path, str(path), skeleton, asf, axes, fill, key, index_columns
        )
    else:
        limit = {} if max_bodies is None else {"max_bodies": max_bodies}
        motion = _motion(FORMATS[form](path, **limit), form, skeleton, path)
    frames = motion.frames
    if skeleton is not None and motion.skeleton is not skeleton:
        kept = select_joints(motion.skeleton.joints, skeleton, str(path))
        frames = frames[..., kept, :]
    if form is not None and fill:
        frames = fill_gaps(without_unseen(frames, form), str(path))
    # Torch warns about arrays that are not writable, such as those of a file.
    frames = np.require(frames, requirements=["C", "W"])
    return motion._replace(frames=frames, skeleton=skeleton or motion.skeleton)


def without_unseen(frames: np.ndarray, form: str | None) -> np.ndarray:
    r"""A recording with NaN for the joints that an estimator did not see.

    Args:
        frames: The frames, of shape :math:`[*, V, C]`.
        form: The format, one of :obj:`FORMATS`, or :obj:`None`.
    """
    if form not in SCORED:
        return frames
    return np.where(frames[..., 2:] == 0, np.nan, frames)


def check_options(kinds: Iterable[str], what: str, **options: Any) -> None:
    r"""Refuses options that would change nothing.

    Raises:
        ValueError: If one is given and no file is of a kind that it applies
            to.
    """
    kinds = set(kinds)
    for name, value in options.items():
        if value is not None and kinds.isdisjoint(APPLIES[name]):
            raise ValueError(
                f"'{name}' applies to {' and '.join(APPLIES[name])} files, got "
                f"it for {what}: leave it out"
            )


def check_kind(path: Path, form: str | None, about: Mapping[str, Any]) -> None:
    r"""Refuses positions for a model of rotations, and the other way round,
    where the format of the recording tells.

    Args:
        path: The file.
        form: Its format, one of :obj:`FORMATS`, or :obj:`None`.
        about: What is known about the model.
    """
    kind = None
    if form is not None or path.suffix.lower() in POSITIONS:
        kind = kind_of(form)
    wanted = about.get("kind")
    if kind is not None and wanted not in (None, kind):
        maps = " (exponential maps)" if wanted == "rotation" else ""
        raise ValueError(
            f"{path} is read as {kind}s, but the model takes {wanted}s: pass "
            f"an array or a table of {wanted}s{maps}"
        )


def kind_of(form: str | None) -> str:
    r"""What the recordings of a format hold, unless it is one of arrays."""
    return "rotation" if form == "amass" else "position"


def resampled(
    motion: Motion,
    frame_rate: float | None,
    path: Path,
    kind: str = "position",
) -> Motion:
    r"""A recording at another frame rate, by linear interpolation, which is
    announced.
    """
    own = motion.frame_rate
    if not (own and frame_rate) or same_rate(own, frame_rate):
        return motion
    print(
        f"{path}: resampled from {own:.4g} to {frame_rate:.4g} frames per "
        f"second"
    )
    frames = resample_frames(motion.frames, own, frame_rate, kind)
    return motion._replace(frames=frames, frame_rate=frame_rate)


def read_rotations(
    path: Path, frame_rate: float | None
) -> tuple[Motion, np.ndarray]:
    r"""Reads a BVH file as :func:`~symgnn_pyg.io.read_bvh_rotations` does, at
    another frame rate if one is given.
    """
    motion, translation = read_bvh_rotations(path)
    own = motion.frame_rate
    if own and frame_rate:
        translation = resample_frames(translation, own, frame_rate)
    return resampled(motion, frame_rate, path, "rotation"), translation


def share_missing(
    content: File,
    name: str,
    skeleton: Skeleton,
    key: str | None,
    index_columns: int | None,
) -> float:
    r"""The share of the numbers of an array or a table that are NaN or empty;
    0 for other formats, which have no gaps.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in ARRAYS:
        numbers = read_npy(content, name, True, key)
    elif suffix in TABLES:
        numbers = read_csv(content, skeleton.joints, name, True, index_columns)
    else:
        return 0.0
    return float(np.isnan(numbers).mean())


def _motion(
    found: Any, form: str, skeleton: Skeleton | None, path: Path
) -> Motion:
    if isinstance(found, Motion):
        return found
    if isinstance(found, np.ndarray):
        return Motion(found, Skeleton.get(LAYOUTS[form]))
    assert isinstance(found, Tracks)
    if skeleton is None:
        raise DataError(
            f"{path} names joints, but no bones: pass a 'skeleton' of "
            f"{', '.join(found.joints[:20])}"
        )
    kept = select_joints(found.joints, skeleton, str(path))
    return Motion(found.frames[..., kept, :], skeleton)


def check_suffix(path: Path, suffixes: tuple[str, ...]) -> str:
    r"""The suffix of a file to write.

    Raises:
        ValueError: If it is not one of :obj:`suffixes`.
    """
    suffix = path.suffix.lower()
    if suffix in (".bvh", ".amc"):
        raise ValueError(
            f"{path} would hold rotations, which positions do not determine: "
            f"write a file that ends in {' or '.join(suffixes)}, or a .bvh "
            f"file from another .bvh file"
        )
    if suffix not in suffixes:
        raise ValueError(
            f"Expected the name of a file to write that ends in "
            f"{' or '.join(suffixes)}, got {path}"
        )
    return suffix


def write_motion(
    path: str | os.PathLike[str],
    frames: np.ndarray,
    skeleton: Skeleton,
    scored: bool = False,
) -> None:
    r"""Writes a recording as :obj:`.npy` or :obj:`.csv`, without loss: numbers
    are written with as many digits as they have. The last channel is a score
    if it is :obj:`scored`.

    Raises:
        ValueError: If the format cannot hold the recording.
    """
    path = Path(path)
    if check_suffix(path, (".npy", ".csv")) == ".npy":
        with replacing(path) as temporary:
            np.save(temporary, frames, allow_pickle=False)
        return
    if frames.ndim == 4 and len(frames) == 1:
        frames = frames[0]
    if frames.ndim != 3:
        raise ValueError(
            f"A .csv file holds one body, but there are {len(frames)}: write "
            f"a .npy file"
        )
    channels = frames.shape[2]
    ends = [str(c) for c in range(channels)]
    if channels <= len(AXES):
        ends = [*AXES[:channels]]
    if scored:
        ends[-1] = "score"
    header = ",".join(
        f"{joint}_{end}" for joint in skeleton.joints for end in ends
    )
    numbers = np.arange(frames[0].size)
    try:
        found = read_csv(
            f"{header}\n{','.join(map(str, numbers))}".encode(),
            skeleton.joints,
        )
        is_same = np.array_equal(found.ravel(), numbers)
    except DataError:
        is_same = False
    if not is_same:
        raise ValueError(
            f"Not all of the joints {', '.join(map(repr, skeleton.joints))} "
            f"would be found in a .csv file by their names: write a .npy file"
        )
    table = frames.reshape(len(frames), -1).astype(str)
    save = partial(np.savetxt, fmt="%s", delimiter=",", comments="")
    with replacing(path) as temporary:
        save(temporary, table, header=header, encoding="utf-8")

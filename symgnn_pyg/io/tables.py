"""Tables of the animal pose estimators DeepLabCut and SLEAP."""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.cells import is_number, read_numbers
from symgnn_pyg.io.hdf5 import SIGNATURE, opened, read_array, read_names
from symgnn_pyg.io.limits import File, read_bytes, read_text

# The most frames after the first beyond those listed: each takes memory.
MOST_UNLISTED = 1000


class Tracks(NamedTuple):
    r"""The bodies of a table, which does not describe their skeleton.

    Args:
        frames: The bodies, of shape :math:`[M, T, V, 3]`: :math:`(x, y)` in
            pixels and the likelihood; :math:`x` and :math:`y` are NaN where a
            joint is missing (see :func:`fill_gaps`).
        joints: The names of the joints.
        bodies: The names of the bodies.
    """

    frames: np.ndarray
    joints: list[str]
    bodies: list[str]


def read_deeplabcut(file: File, name: str = "") -> Tracks:
    r"""Reads a :obj:`.csv` file of DeepLabCut, of one animal or several: rows
    :obj:`scorer`, :obj:`individuals` (of several), :obj:`bodyparts` and
    :obj:`coords`, then one row per frame.

    The :obj:`.h5` files of DeepLabCut are refused, since they hold a pickle;
    :obj:`pandas.read_hdf(file).to_csv(name)` converts them.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Raises:
        EmptyRecordingError: If it has no frames.
        DataError: If it is not such a table; the message names the line.
    """
    content, name = read_bytes(file, name)
    if content.startswith(SIGNATURE):
        raise DataError(
            f"{name} is an HDF5 file; those of DeepLabCut name their columns "
            f"in a pickle, which is not read. Convert it with "
            f"pandas.read_hdf(file).to_csv(name), or pass save_as_csv=True to "
            f"deeplabcut.analyze_videos"
        )
    rows, name = _rows(content, name)
    heads = {}
    while rows and rows[0][1][:1] and not is_number(rows[0][1][0]):
        heads[rows[0][1][0]] = rows[0][1][1:]
        rows = rows[1:]
    if not {"bodyparts", "coords"} <= set(heads):
        raise DataError(
            f"{name}: expected rows 'scorer', 'bodyparts' and 'coords', got "
            f"{', '.join(heads) or 'none'}; it is not a DeepLabCut table"
        )
    parts, coords = heads["bodyparts"], heads["coords"]
    animals = heads.get("individuals", [""] * len(parts))
    columns = list(zip(animals, parts, coords, strict=False))
    bodies, joints = list(dict.fromkeys(animals)), list(dict.fromkeys(parts))
    expected = [
        (body, joint, axis)
        for body in bodies
        for joint in joints
        for axis in ("x", "y", "likelihood")
    ]
    if columns != expected or len(coords) != len(parts):
        raise DataError(
            f"{name}: expected the columns x, y and likelihood of each body "
            f"part, in the same order for each individual"
        )
    if not rows:
        raise EmptyRecordingError(f"{name} has no frames")
    table = np.array(
        [read_numbers(row[1:], len(columns), at, True) for at, row in rows]
    )
    frames = table.reshape(len(rows), len(bodies), len(joints), 3)
    return Tracks(_masked(frames.swapaxes(0, 1)), joints, bodies)


def read_sleap(file: File, name: str = "") -> Tracks:
    r"""Reads a :obj:`.csv` or :obj:`.h5` file of SLEAP's analysis.

    A :obj:`.csv` file has the columns :obj:`track`, :obj:`frame_idx`,
    :obj:`instance.score`, and :obj:`NODE.x`, :obj:`NODE.y`,
    :obj:`NODE.score` of each node, one row per animal and frame; a
    :obj:`.h5` file the arrays :obj:`tracks`, :obj:`point_scores`,
    :obj:`node_names` and :obj:`track_names`. Frames count from the first to
    the last that shows an animal, since SLEAP may track a part of a video; in
    between, those without one are missing. Points that were placed by hand
    have no score, which is read as 1.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Raises:
        EmptyRecordingError: If no frame shows an animal.
        DataError: If it is not such a table, or an animal is in a frame
            twice; the message names the line.
    """
    content, name = read_bytes(file, name)
    if content.startswith(SIGNATURE):
        return _read_sleap_hdf5(content, name)
    rows, name = _rows(content, name)
    head = rows[0][1] if rows else []
    joints = [column[:-2] for column in head if column.endswith(".x")]
    expected = [
        "track", "frame_idx", "instance.score",
        *(f"{node}.{axis}" for node in joints for axis in ("x", "y", "score")),
    ]  # fmt: skip
    if head != expected or not joints:
        raise DataError(
            f"{name}, line 1: expected the columns track, frame_idx, "
            f"instance.score, and NODE.x, NODE.y, NODE.score of each node"
        )
    if not rows[1:]:
        raise EmptyRecordingError(f"{name} has no frames")
    bodies = list(dict.fromkeys(row[0] for _, row in rows[1:]))
    indices = [read_numbers(row[1:2], 1, at)[0] for at, row in rows[1:]]
    first = min(indices)
    found: dict[tuple[int, int], list[float]] = {}
    for (at, row), index in zip(rows[1:], indices, strict=True):
        if index < 0 or index % 1:
            raise DataError(
                f"{at}: {row[1][:20]!r} is not a frame of the table; number "
                f"them from 0"
            )
        if index - first >= len(rows) + MOST_UNLISTED:
            raise DataError(
                f"{at}: {row[1][:20]!r} is not a frame of the table, whose "
                f"first is {first:.15g}: most between them are not listed; "
                f"split the table there"
            )
        place = bodies.index(row[0]), int(index - first)
        if place in found:
            raise DataError(
                f"{at}: track {row[0]!r} is in frame {index:.15g} twice; "
                f"track the animals before exporting"
            )
        found[place] = read_numbers(row[3:], 3 * len(joints), at, True)
    length = max(t for _, t in found) + 1
    if len(bodies) * length > 4 * len(rows) + MOST_UNLISTED:
        raise DataError(
            f"{name}: {len(bodies)} tracks in {length} frames are mostly "
            f"empty; join or remove short tracks"
        )
    frames = np.full((len(bodies), length, len(joints), 3), np.nan)
    for (body, t), numbers in found.items():
        frames[body, t] = np.reshape(numbers, (-1, 3))
    return Tracks(_shown(_masked(_placed(frames)), name), joints, bodies)


def _read_sleap_hdf5(content: bytes, name: str) -> Tracks:
    fault = f"{name} cannot be read as an HDF5 file"
    with opened(io.BytesIO(content), fault) as file:
        joints = read_names(file, "node_names", name)
        bodies = read_names(file, "track_names", name) or [""]
        tracks = read_array(file, "tracks", name)
        scores = read_array(file, "point_scores", name)
    sizes = len(bodies), len(joints)
    found = list(_in_order(tracks, scores, *sizes))
    if not {tracks.dtype.kind, scores.dtype.kind} <= {"f"}:
        raise DataError(
            f"{name}: expected 'tracks' and 'point_scores' of floating point "
            f"numbers, got {tracks.dtype} and {scores.dtype}"
        )
    if len(found) != 1:
        raise DataError(
            f"{name}: expected 'tracks' of shape [tracks, 2, nodes, frames] "
            f"and 'point_scores' of shape [tracks, nodes, frames], or [frames, "
            f"tracks, nodes, 2] and [frames, tracks, nodes], with {sizes[0]} "
            f"tracks and {sizes[1]} nodes, got {list(tracks.shape)} and "
            f"{list(scores.shape)}"
        )
    frames = found[0].astype(np.float64)
    if not frames.size:
        raise EmptyRecordingError(f"{name} has no frames")
    if np.isinf(frames).any():
        raise DataError(f"{name} holds a number that is not finite")
    return Tracks(_shown(_masked(_placed(frames)), name), joints, bodies)


def _in_order(
    tracks: np.ndarray, scores: np.ndarray, num_bodies: int, num_joints: int
) -> Iterator[np.ndarray]:
    """The arrays of SLEAP as [M, T, V, 3], for each order that they can have:
    that of MATLAB, in which SLEAP writes them, or the other way round.
    """
    if tracks.ndim != 4 or scores.ndim != 3:
        return
    for axes, score_axes in (
        ((0, 3, 2, 1), (0, 2, 1)),
        ((1, 0, 2, 3), (1, 0, 2)),
    ):
        points, score = tracks.transpose(axes), scores.transpose(score_axes)
        expected = num_bodies, points.shape[1], num_joints
        if points.shape == (*expected, 2) and score.shape == expected:
            yield np.concatenate([points, score[..., None]], axis=-1)


def _rows(file: File, name: str) -> tuple[list[tuple[str, list[str]]], str]:
    """The rows of a table, with file and line, and the name of the file."""
    content, name = read_text(file, name)
    try:
        text = io.StringIO(content.decode(), newline="")
        reader = csv.reader(text, strict=True)
        rows = [
            (f"{name}, line {reader.line_num}", row) for row in reader if row
        ]
    except (UnicodeDecodeError, csv.Error) as e:
        raise DataError(f"{name} is not a table: {e}") from e
    return rows, name


def _placed(frames: np.ndarray) -> np.ndarray:
    """Gives points with a position but no score, which were placed by hand,
    the score 1.
    """
    by_hand = np.isnan(frames[..., 2]) & ~np.isnan(frames[..., :2]).any(-1)
    frames[by_hand, 2] = 1.0
    return frames


def _shown(frames: np.ndarray, name: str) -> np.ndarray:
    """The frames from the first to the last that shows an animal: SLEAP's
    arrays begin with the video even if tracking begins later.
    """
    shown = np.flatnonzero(frames[..., 2].any((0, 2)))
    if not shown.size:
        raise EmptyRecordingError(f"{name} shows no animal")
    return frames[:, shown[0] : shown[-1] + 1]


def _masked(frames: np.ndarray) -> np.ndarray:
    """Makes joints without a likelihood missing: likelihood 0, position NaN."""
    likelihood = np.nan_to_num(frames[..., 2])
    missing = np.isnan(frames[..., :2]).any(-1) | (likelihood <= 0)
    frames[..., 2] = np.where(missing, 0.0, likelihood)
    frames[missing, :2] = np.nan
    return frames

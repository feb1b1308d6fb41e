"""Tables of the animal pose estimators DeepLabCut and SLEAP."""

import csv
import io
from typing import NamedTuple

import numpy as np

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.limits import File, read_text
from symgnn_pyg.io.numbers import is_number, read_numbers

# Of the frames of all bodies, against tables of far-off frame numbers.
MOST_UNLISTED = 1000


class Tracks(NamedTuple):
    r"""The bodies of a table, whose skeleton it does not tell.

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

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Raises:
        EmptyRecordingError: If it has no frames.
        DataError: If it is not such a table; the message names the line.
    """
    rows, name = _rows(file, name)
    heads = {}
    while rows and rows[0][1][:1] and not is_number(rows[0][1][0]):
        heads[rows[0][1][0]] = rows[0][1][1:]
        rows = rows[1:]
    if not {"bodyparts", "coords"} <= set(heads):
        raise DataError(
            f"{name}: expected rows 'scorer', 'bodyparts' and 'coords', got "
            f"{', '.join(heads) or 'none'}; it is not a table of DeepLabCut"
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
    r"""Reads a :obj:`.csv` file of SLEAP's analysis: columns :obj:`track`,
    :obj:`frame_idx`, :obj:`instance.score`, and :obj:`NODE.x`,
    :obj:`NODE.y`, :obj:`NODE.score` of each node, one row per animal and
    frame. Frames without an animal are missing.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Raises:
        EmptyRecordingError: If it has no frames.
        DataError: If it is not such a table, or an animal is in a frame
            twice; the message names the line.
    """
    rows, name = _rows(file, name)
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
    found: dict[tuple[int, int], list[float]] = {}
    for at, row in rows[1:]:
        (index,) = read_numbers(row[1:2], 1, at)
        if not 0 <= index < len(rows) + MOST_UNLISTED or index % 1:
            raise DataError(
                f"{at}: {row[1][:20]!r} is not a frame of the table"
            )
        place = bodies.index(row[0]), int(index)
        if place in found:
            raise DataError(
                f"{at}: track {row[0]!r} is in frame {int(index)} twice; track "
                f"the animals before exporting"
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
    return Tracks(_masked(frames), joints, bodies)


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


def _masked(frames: np.ndarray) -> np.ndarray:
    """Joints without a likelihood have none, and no place."""
    likelihood = np.nan_to_num(frames[..., 2])
    missing = np.isnan(frames[..., :2]).any(-1) | (likelihood <= 0)
    frames[..., 2] = np.where(missing, 0.0, likelihood)
    frames[missing, :2] = np.nan
    return frames

from typing import Any

import numpy as np

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.joint_tree import Motion
from symgnn_pyg.io.json import LARGEST, read_json
from symgnn_pyg.io.limits import File
from symgnn_pyg.skeleton import Skeleton

LAYOUTS = {33: "mediapipe33", 21: "hand21"}
# What programs call the landmarks of a frame, in the order of preference.
KEYS = (
    "pose_world_landmarks", "poseWorldLandmarks", "pose_landmarks",
    "poseLandmarks", "landmarks", "landmark", "hand_landmarks",
)  # fmt: skip
# Larger than other documents: each frame has some two kilobytes.
MOST_BYTES = 2**28


def read_mediapipe(file: File, name: str = "") -> Motion:
    r"""Reads landmarks of MediaPipe saved as JSON: a list of frames, or an
    object with the list under :obj:`"frames"`. A frame is the list of its
    landmarks :obj:`{"x": ..., "y": ..., "z": ..., "visibility": ...}`, or an
    object with that list under :obj:`"pose_world_landmarks"`,
    :obj:`"pose_landmarks"` or :obj:`"landmarks"`; a frame without a body is
    :obj:`null` or an empty list.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Returns:
        The landmarks, of shape :math:`[T, V, 3]`: metres for world landmarks,
        fractions of the image size otherwise, and NaN in frames without a
        body (see :func:`fill_gaps`); and the skeleton :obj:`"mediapipe33"`,
        or :obj:`"hand21"`.

    Raises:
        EmptyRecordingError: If no frame shows a body.
        DataError: If it is not such a document; the message names the frame.
    """
    document, name = read_json(file, name, MOST_BYTES)
    if isinstance(document, dict):
        document = document.get("frames")
    if not isinstance(document, list):
        raise DataError(
            f"{name}: expected a list of frames, or an object with 'frames'"
        )
    frames = [_frame(f, f"{name}, frame {t}") for t, f in enumerate(document)]
    sizes = {len(frame) for frame in frames if len(frame)}
    if not sizes:
        raise EmptyRecordingError(f"{name} shows no body")
    if len(sizes) > 1 or not sizes <= set(LAYOUTS):
        raise DataError(
            f"{name}: expected 33 landmarks of a body or 21 of a hand in each "
            f"frame, got {', '.join(map(str, sorted(sizes)))}"
        )
    (size,) = sizes
    missing = np.full((size, 3), np.nan)
    motion = np.stack([frame if len(frame) else missing for frame in frames])
    return Motion(motion, Skeleton.get(LAYOUTS[size]))


def _frame(frame: Any, at: str) -> np.ndarray:
    if isinstance(frame, dict):
        found = [frame[key] for key in KEYS if key in frame]
        if not found:
            raise DataError(f"{at}: expected landmarks under {KEYS[0]!r}")
        frame = found[0]
    if isinstance(frame, dict):
        frame = frame.get("landmark")
    if not frame:
        return np.empty((0, 3))
    if isinstance(frame, list) and isinstance(frame[0], list):
        # The tasks of MediaPipe list several bodies.
        if len(frame) > 1:
            raise DataError(f"{at}: expected one body, got {len(frame)}")
        frame = frame[0]
    if not isinstance(frame, list):
        raise DataError(f"{at}: expected a list of landmarks")
    return np.array(
        [_point(p, f"{at}, landmark {i}") for i, p in enumerate(frame)]
    )


def _point(point: Any, at: str) -> list[float]:
    values: list[Any] = []
    if isinstance(point, dict):
        values = [point.get(axis) for axis in "xyz"]
    if not values or not all(
        type(value) in (int, float) and abs(value) <= LARGEST
        for value in values
    ):
        raise DataError(f"{at}: expected finite numbers 'x', 'y' and 'z'")
    return [float(value) for value in values]

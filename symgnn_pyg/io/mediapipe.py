from typing import Any

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.joint_tree import Motion
from symgnn_pyg.io.json import LARGEST, read_json
from symgnn_pyg.io.kinetics import link_motion
from symgnn_pyg.io.limits import File

LAYOUTS = {33: "mediapipe33", 21: "hand21"}
# What programs call the landmarks of a frame, in the order of preference.
KEYS = (
    "pose_world_landmarks", "poseWorldLandmarks", "pose_landmarks",
    "poseLandmarks", "landmarks", "landmark", "hand_landmarks",
)  # fmt: skip
# Landmarks in image coordinates; the origin of world landmarks is the body's
# hips.
PLACES = ("pose_landmarks", "poseLandmarks")
# Larger than other documents: each frame takes about two kilobytes.
MOST_BYTES = 2**28


def read_mediapipe(file: File, name: str = "", max_bodies: int = 1) -> Motion:
    r"""Reads landmarks of MediaPipe saved as JSON: a list of frames, or an
    object with the list under :obj:`"frames"`. A frame is the list of its
    landmarks :obj:`{"x": ..., "y": ..., "z": ..., "visibility": ...}`, or an
    object with that list under :obj:`"pose_world_landmarks"`,
    :obj:`"pose_landmarks"` or :obj:`"landmarks"`; a frame without a body is
    :obj:`null` or an empty list. Several bodies are a list of such lists.

    Bodies carry no identity: several of them are linked over time by their
    place in the image, as in :func:`read_kinetics`. World landmarks start at
    the hips of each body, so a frame of several also needs their
    :obj:`"pose_landmarks"`.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)
        max_bodies: The largest number of bodies to keep, the first of each
            frame; by default, a frame of several is refused.
            (default: :obj:`1`)

    Returns:
        The landmarks, of shape :math:`[T, V, 3]`, or :math:`[M, T, V, 3]` if
        :obj:`max_bodies` is greater than 1: metres for world landmarks,
        fractions of the image size otherwise, and NaN in frames without the
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
    frames = {
        t: _bodies(frame, f"{name}, frame {t}", max_bodies)
        for t, frame in enumerate(document)
    }
    linked = link_motion(
        frames,
        max_bodies,
        name,
        LAYOUTS,
        "33 landmarks of a body or 21 of a hand in each frame",
    )
    motion = linked.frames[..., 2:5]
    motion[linked.frames[..., -1] == 0] = np.nan
    return linked._replace(frames=motion if max_bodies > 1 else motion[0])


def _bodies(frame: Any, at: str, max_bodies: int) -> list[np.ndarray]:
    """The bodies of a frame: place in the image, landmark and score."""
    key = ""
    given = frame
    if isinstance(frame, dict):
        key = next((key for key in KEYS if key in frame), "")
        if not key:
            raise DataError(f"{at}: expected landmarks under {KEYS[0]!r}")
        given = frame[key]
    bodies = _lists(given, at)
    if len(bodies) > max_bodies == 1:
        raise DataError(
            f"{at}: expected one body, got {len(bodies)}; to read several, "
            f"pass max_bodies={len(bodies)}"
        )
    places = bodies
    if "world" in key.lower() and len(bodies) > 1:
        found = [_lists(frame[key], at) for key in PLACES if key in frame]
        places = found[0] if found else []
        if [*map(len, places)] != [*map(len, bodies)]:
            raise DataError(
                f"{at}: the world landmarks of {len(bodies)} bodies do not say "
                f"where they are in the image; also save 'pose_landmarks'"
            )
    return [
        np.column_stack([place[:, :2], body, np.ones(len(body))])
        for place, body in zip(places, bodies, strict=True)
    ]


def _lists(given: Any, at: str) -> list[np.ndarray]:
    """The landmarks of each body, of shape [V, 3]."""
    if isinstance(given, dict):
        given = given.get("landmark")
    if not given:
        return []
    if not isinstance(given, list):
        raise DataError(f"{at}: expected a list of landmarks")
    several = isinstance(given[0], list)
    bodies = []
    for i, body in enumerate(given if several else [given]):
        place = f"{at}, body {i}" if several and len(given) > 1 else at
        if not isinstance(body, list):
            raise DataError(f"{place}: expected a list of landmarks")
        points = [
            _point(p, f"{place}, landmark {k}") for k, p in enumerate(body)
        ]
        if points:
            bodies.append(np.array(points))
    return bodies


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

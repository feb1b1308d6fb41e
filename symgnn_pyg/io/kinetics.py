from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from symgnn_pyg.errors import DataError, EmptyRecordingError, check_sizes
from symgnn_pyg.io.joint_tree import Motion
from symgnn_pyg.io.json import LARGEST, field, numbers, read_json
from symgnn_pyg.io.limits import File
from symgnn_pyg.skeleton import Skeleton

NUM_JOINTS = 18
# The most frames beyond those listed: each takes memory all the same.
MOST_UNLISTED = 300
# Fractions of the image size lie between 0 and 1, or slightly outside.
LARGEST_FRACTION = 2.0
# The most bodies of a frame that are linked over time, and how many times as
# many tracks may wait for theirs.
MOST_LINKED = 16
MOST_WAITING = 4
# The largest table of labels: 280 bytes for each of 240,000 clips.
MOST_LABEL_BYTES = 2**26


class KineticsLabel(NamedTuple):
    r"""The entry of a clip in a table of labels.

    Args:
        name: The name of the class.
        number: The index of the class.
        has_skeleton: Whether any frame of the clip shows a body.
    """

    name: str
    number: int
    has_skeleton: bool


def read_kinetics(
    file: File,
    name: str = "",
    max_bodies: int = 1,
    image_size: tuple[int, int] | None = None,
) -> np.ndarray:
    r"""Reads a clip of Kinetics-Skeleton: the bodies that OpenPose found.

    Bodies carry no identity, so each joins a track: the pairs of a body and a
    track's latest pose that are nearest (by the mean distance of the joints
    found in both) join first, and a body that is left over starts a track. A
    track waits for its body however many frames it is missing in, which stay
    zero, but a body farther away than the longer side of the box around it or
    around the track's latest pose, whichever is longer, is somebody else. Poses
    of a single joint, which have no size, are not limited.

    The :obj:`max_bodies` tracks with the highest mean score over all frames are
    kept, the highest first. Of each frame, at most the 16 bodies with the
    highest mean score are linked, or :obj:`max_bodies` if that is more, with
    the tracks seen last, four times as many.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)
        max_bodies: The largest number of bodies to keep.
            (default: :obj:`1`)
        image_size: The width and height of the image in pixels, if the file
            holds pixels. (default: it holds fractions of the image size)

    Returns:
        The bodies, of shape :math:`[B, T, 18, 3]`, with the channels
        :math:`(x - 0.5, y - 0.5, \textrm{score})`, where :math:`x, y \in
        [0, 1]` are fractions of the image size. All three are 0 where a joint
        was not found.

    Raises:
        EmptyRecordingError: If no frame shows a body.
        DataError: If it is not a JSON document of bodies with 18 joints, or
            holds pixels and :obj:`image_size` is not given; the message names
            the place.
    """
    document, name = read_json(file, name)
    frames: dict[int, list[np.ndarray]] = {}
    entries = field(document, "data", list, name)
    most = len(entries) + MOST_UNLISTED
    for i, entry in enumerate(entries):
        at = f"{name}, data[{i}]"
        index = field(entry, "frame_index", int, at)
        if not 0 <= index <= most:
            raise DataError(
                f"{at}: expected 'frame_index' from 0 to {most}, got "
                f"{str(index)[:20]}"
            )
        if index in frames:
            raise DataError(f"{at}: frame {index} occurs twice")
        bodies = [
            _body(body, image_size, f"{at}.skeleton[{k}]")
            for k, body in enumerate(field(entry, "skeleton", list, at))
        ]
        frames[index] = bodies
    # The published files count from 1.
    first = 0 if 0 in frames else 1
    return link_bodies(
        {index - first: bodies for index, bodies in frames.items()},
        max_bodies,
        name,
    )


def read_kinetics_labels(
    file: File, name: str = ""
) -> dict[str, KineticsLabel]:
    r"""Reads a table of labels of Kinetics-Skeleton: the label of each clip.

    Args:
        file: The path of the file, or its content.
        name: The name of the file in error messages. (default: its path)

    Raises:
        DataError: If it is not a JSON object from clips to labels; the
            message names the clip.
    """
    entries, name = read_json(file, name, MOST_LABEL_BYTES)
    if not isinstance(entries, dict):
        raise DataError(f"{name} must be an object that maps clips to labels")
    labels = {}
    for clip, entry in entries.items():
        at = f"{name}, {clip!r}"
        number = field(entry, "label_index", int, at)
        if number < 0:
            raise DataError(f"{at}: 'label_index' {number} is negative")
        labels[clip] = KineticsLabel(
            field(entry, "label", str, at),
            number,
            field(entry, "has_skeleton", bool, at),
        )
    return labels


def _body(
    entry: Any, image_size: tuple[int, int] | None, at: str
) -> np.ndarray:
    pose = numbers(entry, "pose", 2 * NUM_JOINTS, at)
    score = numbers(entry, "score", NUM_JOINTS, at)
    if (score < 0).any():
        raise DataError(f"{at}: a score is negative")
    place = pose.reshape(-1, 2) / (image_size or (1, 1))  # [V, 2]
    if (abs(place[score > 0]) > LARGEST_FRACTION).any():
        raise DataError(
            f"{at}: expected 'pose' in fractions of the image size, got "
            f"{abs(place[score > 0]).max():.6g}; if the file holds pixels, "
            f"pass the 'image_size' (width, height) of the video"
        )
    body = np.column_stack([place - 0.5, score])  # [V, 3]
    body[score == 0] = 0.0
    return body


def _confidence(body: np.ndarray) -> float:
    return float(body[:, -1].mean())


def link_bodies(
    frames: Mapping[int, list[np.ndarray]], max_bodies: int, name: str
) -> np.ndarray:
    r"""Links the bodies of each frame over time; see :func:`read_kinetics`.

    Each is of shape :math:`[V, C]`, the place in the image first and the score
    last.
    """
    check_sizes(1, max_bodies=max_bodies)
    most = max(max_bodies, MOST_LINKED)
    kept = {
        index: [
            body
            for body in sorted(bodies, key=_confidence, reverse=True)
            if body[:, -1].any()
        ][:most]
        for index, bodies in frames.items()
    }
    if not any(kept.values()):
        raise EmptyRecordingError(f"{name} shows no body")
    tracks: list[dict[int, np.ndarray]] = []
    waiting: list[dict[int, np.ndarray]] = []
    for index, bodies in sorted(kept.items()):
        latest = [next(reversed(track.values())) for track in waiting]
        joined = [
            {} if place is None else waiting[place]
            for place in _join(latest, bodies)
        ]
        for track, body in zip(joined, bodies, strict=True):
            if not track:
                tracks.append(track)
            track[index] = body
        others = [track for track in waiting if index not in track]
        waiting = [*others, *joined][-MOST_WAITING * most :]
    tracks.sort(key=lambda t: sum(map(_confidence, t.values())), reverse=True)
    shape = next(iter(tracks[0].values())).shape
    motion = np.zeros((len(tracks[:max_bodies]), max(kept) + 1, *shape))
    for poses, found in zip(motion, tracks, strict=False):
        poses[list(found)] = list(found.values())
    return motion


def link_motion(
    frames: Mapping[int, list[np.ndarray]],
    max_bodies: int,
    name: str,
    layouts: Mapping[int, str],
    expected: str,
    cure: str = "",
) -> Motion:
    r"""Links bodies by :func:`link_bodies`, and finds their layout by the
    number of joints. If there is none, the error says what was
    :obj:`expected`, and the :obj:`cure`.
    """
    sizes = {len(body) for bodies in frames.values() for body in bodies}
    if len(sizes) > 1 or not sizes <= layouts.keys():
        raise DataError(
            f"{name}: expected {expected}, got "
            f"{', '.join(map(str, sorted(sizes)))}{cure}"
        )
    motion = link_bodies(frames, max_bodies, name)
    return Motion(motion, Skeleton.get(layouts[motion.shape[2]]))


def _join(
    latest: list[np.ndarray], bodies: list[np.ndarray]
) -> list[int | None]:
    """The track that each body joins, if any."""
    found: list[int | None] = [None] * len(bodies)
    if latest and bodies:
        distance = _distance(np.stack(latest)[:, None], np.stack(bodies))
        size = np.maximum.outer([*map(_size, latest)], [*map(_size, bodies)])
        distance[(distance > size) & (size > 0)] = np.inf
        while np.isfinite(distance).any():
            track, body = divmod(int(distance.argmin()), len(bodies))
            found[body] = track
            distance[track] = distance[:, body] = np.inf
    return found


def _size(body: np.ndarray) -> float:
    seen = body[body[:, -1] > 0, :2]
    return float(np.ptp(seen, axis=0).max())


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    both = (one[..., -1] > 0) & (other[..., -1] > 0)
    gap = np.linalg.norm(one[..., :2] - other[..., :2], axis=-1)
    mean = (gap * both).sum(-1) / np.maximum(both.sum(-1), 1)
    return np.where(both.any(-1), mean, LARGEST)

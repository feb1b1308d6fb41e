import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any, NoReturn, TypeVar

import numpy as np

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io.limits import check_size
from symgnn_pyg.skeleton import Skeleton

KINETICS18 = Skeleton.get("kinetics18")

MOST_FRAMES = 300
# Of a clip.
MOST_BYTES = 2**24
LARGEST = float(np.finfo(np.float32).max)
KINDS = {
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    str: "a string",
}
T = TypeVar("T")


def parse(content: bytes, where: str, max_bodies: int = 1) -> np.ndarray:
    r"""The bodies of a file, of shape :math:`[B, T, 18, 3]`.

    Args:
        content: The content of the file.
        where: Its name, for messages.
        max_bodies: The number of bodies to keep, at most.
            (default: :obj:`1`)

    Raises:
        EmptyRecordingError: If no frame shows a body.
        DataError: If it is no JSON document of bodies with 18 joints in 300
            frames at most.
    """
    frames: dict[int, list[np.ndarray]] = {}
    entries = field(read_json(content, where, MOST_BYTES), "data", list, where)
    for i, entry in enumerate(entries):
        place = f"{where}, data[{i}]"
        index = field(entry, "frame_index", int, place)
        if not 1 <= index <= MOST_FRAMES:
            raise DataError(
                f"{place}: 'frame_index' must be from 1 to {MOST_FRAMES}"
            )
        if index in frames:
            raise DataError(f"{place}: frame {index} occurs twice")
        bodies = [
            _body(body, f"{place}.skeleton[{k}]")
            for k, body in enumerate(field(entry, "skeleton", list, place))
        ]
        bodies.sort(key=_confidence, reverse=True)
        frames[index] = [b for b in bodies if b[:, 2].any()][:max_bodies]
    if not any(frames.values()):
        raise EmptyRecordingError(f"{where} shows no body")
    return _link(frames)


def _body(entry: Any, where: str) -> np.ndarray:
    pose = _numbers(entry, "pose", 2 * KINETICS18.num_joints, where)
    score = _numbers(entry, "score", KINETICS18.num_joints, where)
    if (score < 0).any():
        raise DataError(f"{where}: a score is negative")
    body = np.column_stack([pose.reshape(-1, 2) - 0.5, score])  # [V, 3]
    body[score == 0] = 0.0
    return body


def _confidence(body: np.ndarray) -> float:
    return float(body[:, 2].mean())


def _link(frames: Mapping[int, list[np.ndarray]]) -> np.ndarray:
    most = max(map(len, frames.values()))
    tracks = np.zeros((most, max(frames), KINETICS18.num_joints, 3))
    latest: list[np.ndarray] = []
    for index, bodies in sorted(frames.items()):
        for track, body in zip(_join(latest, bodies), bodies, strict=True):
            tracks[track, index - 1] = body
            latest[track : track + 1] = [body]
    order = np.argsort(-tracks[..., 2].mean(axis=(1, 2)), kind="stable")
    return tracks[order]


def _join(latest: list[np.ndarray], bodies: list[np.ndarray]) -> list[int]:
    """The track that each body joins; those after the last one are new."""
    if len(latest) == len(bodies) == 1:
        return [0]
    found = [-1] * len(bodies)
    if latest and bodies:
        distance = _distance(np.stack(latest)[:, None], np.stack(bodies))
        for _ in range(min(distance.shape)):
            track, body = divmod(int(distance.argmin()), len(bodies))
            found[body] = track
            distance[track] = distance[:, body] = np.inf
    new = count(len(latest))
    return [next(new) if track < 0 else track for track in found]


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    both = (one[..., 2] > 0) & (other[..., 2] > 0)
    gap = np.linalg.norm(one[..., :2] - other[..., :2], axis=-1)
    mean = (gap * both).sum(-1) / np.maximum(both.sum(-1), 1)
    return np.where(both.any(-1), mean, LARGEST)


def read_json(content: bytes, where: str, most: int) -> Any:
    r"""A document of JSON.

    Args:
        content: The document.
        where: The name of its file, for messages.
        most: The largest size, in bytes: what is made of a document takes
            some twenty times its room.

    Raises:
        DataError: If it is none, or larger.
    """
    check_size(len(content), where, most)
    try:
        return json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None
    except ValueError as e:
        raise DataError(f"{where} is no JSON document: {e}") from e


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def field(entry: Any, key: str, kind: type[T], where: str) -> T:
    r"""What an object of JSON holds under a key.

    Args:
        entry: The object.
        key: The key.
        kind: The type that it must have.
        where: Where the object stands, for messages.

    Raises:
        DataError: If there is nothing, or something of another type.
    """
    value = entry.get(key) if isinstance(entry, dict) else None
    # Not isinstance: to Python, true is a whole number.
    if type(value) is not kind:
        raise DataError(f"{where}: {key!r} must be {KINDS[kind]}")
    return value


def _numbers(entry: Any, key: str, length: int, where: str) -> np.ndarray:
    values = field(entry, key, list, where)
    if len(values) == length and {int, float}.issuperset(map(type, values)):
        with suppress(OverflowError):
            numbers = np.array(values, float)
            if (abs(numbers) <= LARGEST).all():
                return numbers
    raise DataError(f"{where}: {key!r} must be {length} finite numbers")

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import PurePosixPath
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.datasets.motion_dataset import (
    MotionDataset,
    check_split,
    check_window,
    clip_windows,
)
from symgnn_pyg.datasets.prepare import (
    EmptyRecordingError,
    Recording,
    prepare,
    report_missing,
)
from symgnn_pyg.datasets.source import Source
from symgnn_pyg.errors import DataError
from symgnn_pyg.layouts import KINETICS18

TRAINING, TEST = "kinetics_train", "kinetics_val"
VALIDATION_SHARE = 20
MOST_FRAMES = 300
# A parsed document takes some twenty times the room of its text.
MOST_BYTES = 2**24
LARGEST = float(np.finfo(np.float32).max)
KINDS = {
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    str: "a string",
}
T = TypeVar("T")


class KineticsSkeleton(MotionDataset):
    r"""Kinetics-Skeleton: clips of 400 actions from internet videos, as 18
    joints that OpenPose found in the image, read from the files of the
    published archive: :obj:`kinetics_{train,val}/ID.json`, with
    :obj:`kinetics_{train,val}_label.json` beside the folders.

    The channels are :math:`(x - 0.5, y - 0.5, \textrm{score})` with
    :math:`x, y \in [0, 1]`; where the score is 0, nothing was found and all
    three are 0. So is a whole body in the frames without one: nothing is
    invented. A sample is a whole clip, from its first frame to the last one
    that is listed, recorded at 30 frames a second and spread by linear
    interpolation over the observed and the future frames; where a joint was
    found in one of two neighbouring frames only, that mixes all three with 0.

    Bodies in a file carry no identity. Of each frame those with the highest
    mean score are kept. With one body to keep they make up the sample, as in
    the field. With more each joins a track: the pairs of a body and a track's
    latest pose that are nearest (the mean distance of the joints found in
    both) join first, and a body that is left over starts a track. The track
    with the highest mean score comes first.

    The :obj:`"test"` split is the published validation set. The
    :obj:`"val"` split is our own: a twentieth of the training clips, those
    with an :obj:`ID` whose CRC-32 checksum is a multiple of 20, which
    :obj:`"train"` then leaves out.

    Args:
        root: The folder or zip archive with the files.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        observed: The number of observed frames. (default: :obj:`64`)
        future: The number of frames to predict. (default: :obj:`10`)
        max_bodies: The number of bodies of a sample, at most.
            (default: :obj:`1`)
        allow_missing: If set to :obj:`True`, clips that have a label but no
            file are named in a warning instead of an error.
            (default: :obj:`False`)
        skip_faulty: If set to :obj:`True`, files that cannot be parsed are
            left out and listed in the attribute :obj:`skipped` with those
            that show no body, as their label or they themselves tell; an
            error else. (default: :obj:`False`)
        store: The HDF5 file to keep the parsed sequences in. It is made anew
            when the files or the arguments change. (default: :obj:`root` with
            suffix :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If files are absent, have no label or cannot be parsed, or
            there are no clips of the split; the message names file and place.
        ValueError: If an argument is none of its values.

    The skeletons were published for research with the `"Spatial Temporal
    Graph Convolutional Networks for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/1801.07455>`_ paper, whose `project page
    <https://github.com/yysijie/st-gcn>`_ says where the archive
    "kinetics-skeleton" lies; the videos belong to their makers.

    **STATS:**

    .. list-table::
        :header-rows: 1

        * - split
          - recordings
          - joints
          - channels
          - classes
        * - train and val
          - about 240,000
          - 18
          - 3
          - 400
        * - test
          - about 20,000
          - 18
          - 3
          - 400
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        observed: int = 64,
        future: int = 10,
        max_bodies: int = 1,
        allow_missing: bool = False,
        skip_faulty: bool = False,
        store: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(observed, future, 1)
        check_split(split)
        if max_bodies < 1:
            raise ValueError(
                f"'max_bodies' must be at least 1, got {max_bodies}"
            )
        with Source(root, anchors=(TRAINING, TEST)) as source:
            labels = dict(_labels(source))
            _check_labelled(source, labels)
            bodiless = {
                file: "its label says that it has no skeleton"
                for file, label in labels.items()
                if file in source and not label.has_skeleton
            }
            missing = [file for file in labels if file not in source]
            report_missing(missing, source, "Kinetics-Skeleton", allow_missing)
            opened = prepare(
                store or f"{source.path}.h5",
                source,
                [
                    Recording(file.removesuffix(".json"), file, label.number)
                    for file, label in labels.items()
                    if file in source and label.has_skeleton
                ],
                partial(parse, max_bodies=max_bodies),
                KINETICS18,
                _classes(source, labels),
                recipe=f"max_bodies={max_bodies}",
                skip_faulty=skip_faulty,
            )
        chosen = [
            i for i, name in enumerate(opened.names) if _split(name) == split
        ]
        if not chosen:
            raise DataError(
                f"{source.path} holds no clip of the {split!r} split"
            )
        super().__init__(
            opened,
            clip_windows(opened, chosen),
            observed,
            future,
            transform=transform,
        )
        self.split = split
        self.missing = missing
        self.skipped = bodiless | opened.skipped


class _Label(NamedTuple):
    name: str
    number: int
    has_skeleton: bool


def _labels(source: Source) -> Iterator[tuple[str, _Label]]:
    for folder in (TRAINING, TEST):
        table = f"{folder}_label.json"
        found = [name for name in source if PurePosixPath(name).name == table]
        if len(found) != 1:
            raise DataError(
                f"{source.path} must hold one file {table}, but there are "
                f"{len(found)}"
            )
        where = source.where(found[0])
        entries = _read_json(source.read(found[0]), where)
        if not isinstance(entries, dict):
            raise DataError(f"{where} must be an object, from clip to label")
        for clip, entry in entries.items():
            yield f"{folder}/{clip}.json", _label(entry, f"{where}, {clip!r}")


def _label(entry: Any, where: str) -> _Label:
    name = _get(entry, "label", str, where)
    number = _get(entry, "label_index", int, where)
    if number < 0:
        raise DataError(f"{where}: 'label_index' {number} is negative")
    return _Label(name, number, _get(entry, "has_skeleton", bool, where))


def _check_labelled(source: Source, labels: Mapping[str, _Label]) -> None:
    for file in source:
        folder, _, name = file.rpartition("/")
        if (
            folder in (TRAINING, TEST)
            and name.endswith(".json")
            and file not in labels
        ):
            raise DataError(
                f"{source.where(file)} has no entry in {folder}_label.json"
            )


def _classes(source: Source, labels: Mapping[str, _Label]) -> list[str]:
    names: dict[int, str] = {}
    for file, label in labels.items():
        other = names.setdefault(label.number, label.name)
        if other != label.name:
            raise DataError(
                f"{source.path}: the label of {file} gives class "
                f"{label.number} the name {label.name!r}, which others call "
                f"{other!r}"
            )
    absent = next((i for i in range(len(names)) if i not in names), None)
    if absent is not None:
        raise DataError(
            f"{source.path}: the label files must count classes from 0 on, "
            f"but none of them names class {absent}"
        )
    return [names[i] for i in range(len(names))]


def _split(name: str) -> str:
    folder, _, clip = name.partition("/")
    if folder == TEST:
        return "test"
    held_out = zlib.crc32(clip.encode()) % VALIDATION_SHARE == 0
    return "val" if held_out else "train"


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
    if len(content) > MOST_BYTES:
        raise DataError(
            f"{where} has {len(content)} bytes, more than a clip's {MOST_BYTES}"
        )
    frames: dict[int, list[np.ndarray]] = {}
    entries = _get(_read_json(content, where), "data", list, where)
    for i, entry in enumerate(entries):
        place = f"{where}, data[{i}]"
        index = _get(entry, "frame_index", int, place)
        if not 1 <= index <= MOST_FRAMES:
            raise DataError(
                f"{place}: 'frame_index' must be from 1 to {MOST_FRAMES}"
            )
        if index in frames:
            raise DataError(f"{place}: frame {index} occurs twice")
        bodies = [
            _body(body, f"{place}.skeleton[{k}]")
            for k, body in enumerate(_get(entry, "skeleton", list, place))
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


def _read_json(content: bytes, where: str) -> Any:
    try:
        return json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None
    except ValueError as e:
        raise DataError(f"{where} is no JSON document: {e}") from e


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _get(entry: Any, key: str, kind: type[T], where: str) -> T:
    value = entry.get(key) if isinstance(entry, dict) else None
    # Not isinstance: to Python, true is a whole number.
    if type(value) is not kind:
        raise DataError(f"{where}: {key!r} must be {KINDS[kind]}")
    return value


def _numbers(entry: Any, key: str, length: int, where: str) -> np.ndarray:
    values = _get(entry, key, list, where)
    if len(values) == length and {int, float}.issuperset(map(type, values)):
        with suppress(OverflowError):
            numbers = np.array(values, float)
            if (abs(numbers) <= LARGEST).all():
                return numbers
    raise DataError(f"{where}: {key!r} must be {length} finite numbers")

import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.data.prepare import Recording, prepare, report_missing
from symgnn_pyg.datasets.motion_dataset import (
    MotionDataset,
    check_split,
    check_window,
    clip_windows,
)
from symgnn_pyg.errors import DataError
from symgnn_pyg.io.kinetics import field, parse, read_json
from symgnn_pyg.io.source import Source
from symgnn_pyg.skeleton import Skeleton

TRAINING, TEST = "kinetics_train", "kinetics_val"
VALIDATION_SHARE = 20
# Of a table of labels: 280 bytes for each of 240,000 clips.
MOST_BYTES = 2**26


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
        num_observed: The number of observed frames. (default: :obj:`64`)
        num_future: The number of frames to predict. (default: :obj:`10`)
        max_bodies: The number of bodies of a sample, at most.
            (default: :obj:`1`)
        allow_missing: If set to :obj:`True`, clips that have a label but no
            file are named in a warning instead of an error.
            (default: :obj:`False`)
        skip_faulty: If set to :obj:`True`, files that cannot be parsed are
            left out and listed in the attribute :obj:`skipped` with those
            that show no body, as their label or they themselves tell; an
            error else. (default: :obj:`False`)
        path: The HDF5 file to keep the parsed sequences in. It is made anew
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
        num_observed: int = 64,
        num_future: int = 10,
        max_bodies: int = 1,
        allow_missing: bool = False,
        skip_faulty: bool = False,
        path: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(num_observed, num_future, 1)
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
                path or f"{source.path}.h5",
                source,
                [
                    Recording(file.removesuffix(".json"), file, label.number)
                    for file, label in labels.items()
                    if file in source and label.has_skeleton
                ],
                partial(parse, max_bodies=max_bodies),
                Skeleton.get("kinetics18"),
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
            num_observed,
            num_future,
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
        entries = read_json(source.read(found[0]), where, MOST_BYTES)
        if not isinstance(entries, dict):
            raise DataError(f"{where} must be an object, from clip to label")
        for clip, entry in entries.items():
            yield f"{folder}/{clip}.json", _label(entry, f"{where}, {clip!r}")


def _label(entry: Any, where: str) -> _Label:
    name = field(entry, "label", str, where)
    number = field(entry, "label_index", int, where)
    if number < 0:
        raise DataError(f"{where}: 'label_index' {number} is negative")
    return _Label(name, number, field(entry, "has_skeleton", bool, where))


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

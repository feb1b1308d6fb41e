import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath

from symgnn_pyg.data import Recording, SkeletonData, prepare
from symgnn_pyg.datasets.motion_dataset import MotionDataset
from symgnn_pyg.datasets.published_dataset import report_missing
from symgnn_pyg.datasets.windows import SPLITS, check_window, clip_windows
from symgnn_pyg.errors import DataError, check_choices, check_sizes
from symgnn_pyg.io import (
    KineticsLabel,
    Source,
    read_kinetics,
    read_kinetics_labels,
)
from symgnn_pyg.skeleton import Skeleton

TRAINING, TEST = "kinetics_train", "kinetics_val"
VALIDATION_SHARE = 20


class KineticsSkeleton(MotionDataset):
    r"""Kinetics-Skeleton: clips of 400 actions from internet videos, as 18
    joints that OpenPose found in the image, read from the files of the
    published archive: :obj:`kinetics_{train,val}/ID.json`, with
    :obj:`kinetics_{train,val}_label.json` beside the folders.

    The channels are :math:`(x - 0.5, y - 0.5, \textrm{score})` with
    :math:`x, y \in [0, 1]`; all three are 0 for a joint that was not found,
    and for a whole body in frames without one: nothing is made up. A sample
    is a whole clip, from its first frame to the last one that is listed,
    recorded at 30 frames per second and stretched by linear interpolation
    over the observed and the future frames. Where a joint was found in only
    one of two neighbouring frames, that mixes all three channels with 0.
    :func:`~symgnn_pyg.io.read_kinetics` describes how bodies are chosen and
    tracked. Classes are those that a label has, in the order of their
    numbers.

    The :obj:`"test"` split is the published validation set. The
    :obj:`"val"` split is this library's own: a twentieth of the training
    clips, those with an :obj:`ID` whose CRC-32 checksum is a multiple of 20,
    which :obj:`"train"` leaves out.

    Args:
        root: The folder or zip archive with the files.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`64`)
        num_future: The number of frames to predict. (default: :obj:`10`)
        max_bodies: The largest number of bodies of a sample.
            (default: :obj:`1`)
        image_size: The width and height of the videos in pixels, if the files
            hold pixels. (default: they hold fractions of the image size)
        allow_missing: If set to :obj:`True`, clips that have a label but no
            file are named in a warning instead of an error.
            (default: :obj:`False`)
        skip_faulty: If set to :obj:`True`, files that cannot be parsed are
            left out and listed in the attribute :obj:`skipped`, with those
            that show no body according to their label or their content,
            instead of raising an error. (default: :obj:`False`)
        path: The HDF5 file for the parsed sequences. It is written again
            when the files or the arguments change. (default: :obj:`root` with
            suffix :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If files are absent, have no label or cannot be parsed, or
            there are no clips of the split; the message names file and place.
        ValueError: If there is no such split or window.

    The skeletons were published for research with the `"Spatial Temporal
    Graph Convolutional Networks for Skeleton-Based Action Recognition"
    <https://arxiv.org/abs/1801.07455>`_ paper, whose `project page
    <https://github.com/yysijie/st-gcn>`_ links to the archive
    "kinetics-skeleton"; the rights to the videos remain with their authors.

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

    unit = "fraction of the image size"
    num_coordinates = 2

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        *,
        num_observed: int = 64,
        num_future: int = 10,
        max_bodies: int = 1,
        image_size: tuple[int, int] | None = None,
        allow_missing: bool = False,
        skip_faulty: bool = False,
        path: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(num_observed, num_future, 1)
        check_choices(SPLITS, split=split)
        check_sizes(1, max_bodies=max_bodies)
        with Source(root, anchors=(TRAINING, TEST)) as source:
            labels = dict(_labels(source))
            names = _classes(source, labels)
            index = {number: i for i, number in enumerate(names)}
            _check_labelled(source, labels)
            present = {f: label for f, label in labels.items() if f in source}
            bodiless = {
                file: "its label says that it has no skeleton"
                for file, label in present.items()
                if not label.has_skeleton
            }
            missing = [file for file in labels if file not in source]
            report_missing(missing, source, "Kinetics-Skeleton", allow_missing)
            opened = prepare(
                path or f"{source.path}.h5",
                source,
                [
                    Recording(
                        file.removesuffix(".json"), file, index[label.number]
                    )
                    for file, label in present.items()
                    if label.has_skeleton
                ],
                parse=partial(
                    read_kinetics, max_bodies=max_bodies, image_size=image_size
                ),
                skeleton=Skeleton.get("kinetics18"),
                classes=list(names.values()),
                recipe=f"tracks={max_bodies} image_size={image_size}",
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
            num_observed=num_observed,
            num_future=num_future,
            transform=transform,
        )
        self.split = split
        self.missing = missing
        self.skipped = bodiless | opened.skipped


def _labels(source: Source) -> Iterator[tuple[str, KineticsLabel]]:
    for folder in (TRAINING, TEST):
        table = f"{folder}_label.json"
        found = [name for name in source if PurePosixPath(name).name == table]
        if len(found) != 1:
            raise DataError(
                f"Expected one file {table} in {source.path}, got {len(found)}"
            )
        where = source.where(found[0])
        labels = read_kinetics_labels(source.read(found[0]), where)
        for clip, label in labels.items():
            yield f"{folder}/{clip}.json", label


def _check_labelled(
    source: Source, labels: Mapping[str, KineticsLabel]
) -> None:
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


def _classes(
    source: Source, labels: Mapping[str, KineticsLabel]
) -> dict[int, str]:
    """The names of the classes that labels have, sorted by number."""
    names: dict[int, str] = {}
    for file, label in labels.items():
        other = names.setdefault(label.number, label.name)
        if other != label.name:
            raise DataError(
                f"{source.path}: the label of {file} names class "
                f"{label.number} {label.name!r}, but other labels name it "
                f"{other!r}"
            )
    return dict(sorted(names.items()))


def _split(name: str) -> str:
    folder, _, clip = name.partition("/")
    if folder == TEST:
        return "test"
    held_out = zlib.crc32(clip.encode()) % VALIDATION_SHARE == 0
    return "val" if held_out else "train"

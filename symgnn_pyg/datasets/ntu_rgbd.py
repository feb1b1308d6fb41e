import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.data.prepare import Recording, prepare
from symgnn_pyg.datasets.motion_dataset import (
    MotionDataset,
    check_split,
    check_window,
    clip_windows,
)
from symgnn_pyg.datasets.ntu_actions import ACTIONS
from symgnn_pyg.errors import DataError
from symgnn_pyg.io.ntu import parse
from symgnn_pyg.io.source import Source
from symgnn_pyg.skeleton import Skeleton

# What each benchmark trains on; both numbers of classes share the subjects,
# since those of the first sixty end at 40.
BENCHMARKS = {"xsub": (60, 120), "xview": (60,), "xset": (120,)}
SUBJECTS = frozenset((
    1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38,
    45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81,
    82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103,
))  # fmt: skip
CAMERAS = (2, 3)
NAME = re.compile("S([0-9]{3})C([0-9]{3})P([0-9]{3})R[0-9]{3}A([0-9]{3})")


class NTURGBD(MotionDataset):
    r"""NTU-RGB+D and NTU-RGB+D 120: clips of 60 or 120 actions of one or two
    persons, seen by three Kinect cameras, as positions of 25 joints in
    metres, read from files :obj:`SsssCcccPpppRrrrAaaa.skeleton`.

    A sample is a whole clip, recorded at 30 frames a second and spread by
    linear interpolation over the observed and the future frames. Its bodies
    are those whose positions spread the most (the sum of the standard
    deviations of x, y and z over the frames where a body is seen), widest
    first. In frames where one of them is not seen its pose is interpolated
    linearly, and before its first and after its last appearance it is held. No
    body is made up, and none is dropped for being seen in few frames.

    The :obj:`"test"` split is the published one of the benchmark:
    cross-subject (:obj:`"xsub"`), cross-view (:obj:`"xview"`, 60 classes) or
    cross-setup (:obj:`"xset"`, 120 classes). The :obj:`"val"` split is our
    own: the training clips of the subjects whose number ends in 5, which
    :obj:`"train"` then leaves out.

    The field moves the middle of the first body's spine to the origin and
    turns the body upright: :obj:`Compose([Center(1), NormalizeView(spine=(0,
    1), shoulders=(8, 4))])` of :obj:`symgnn_pyg.transforms` does that.

    Args:
        root: The folder or zip archive with the files, in any subfolders.
            Clips of actions beyond :obj:`num_classes` are left out.
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        benchmark: :obj:`"xsub"`, :obj:`"xview"` or :obj:`"xset"`.
            (default: :obj:`"xsub"`)
        num_classes: 60 or 120. (default: :obj:`60`)
        num_observed: The number of observed frames. (default: :obj:`64`)
        num_future: The number of frames to predict. (default: :obj:`10`)
        max_bodies: The number of bodies of a sample, at most.
            (default: :obj:`2`)
        exclude: The published list of clips without a sound skeleton: a
            heading, then one name a line. They are left out and kept in the
            attribute :obj:`excluded`. (default: :obj:`None`)
        skip_faulty: If set to :obj:`True`, files that cannot be parsed are
            left out and listed in the attribute :obj:`skipped` with those
            that show no body; an error else. (default: :obj:`False`)
        path: The HDF5 file to keep the parsed sequences in. It is made anew
            when the files or the arguments change. (default: :obj:`root` with
            suffix :obj:`.h5`, beside it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` or :obj:`exclude` does not exist.
        DataError: If a file is named otherwise or cannot be parsed, or there
            are no clips of the split; the message names file and line.
        ValueError: If an argument is none of its values.

    The data are given to academic researchers who agree to their terms at the
    `ROSE Lab <https://rose1.ntu.edu.sg/dataset/actionRecognition>`_ of
    Nanyang Technological University, and may not be passed on. Sources: the
    `"NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis"
    <https://arxiv.org/abs/1604.02808>`_ and the `"NTU RGB+D 120: A
    Large-Scale Benchmark for 3D Human Activity Understanding"
    <https://arxiv.org/abs/1905.04757>`_ papers.

    **STATS:**

    .. list-table::
        :header-rows: 1

        * - data set
          - recordings
          - joints
          - channels
          - classes
        * - NTU-RGB+D
          - 56,880
          - 25
          - 3
          - 60
        * - NTU-RGB+D 120
          - 114,480
          - 25
          - 3
          - 120
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        benchmark: str = "xsub",
        num_classes: int = 60,
        num_observed: int = 64,
        num_future: int = 10,
        max_bodies: int = 2,
        exclude: str | os.PathLike[str] | None = None,
        skip_faulty: bool = False,
        path: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_window(num_observed, num_future, 1)
        _check(split, benchmark, num_classes, max_bodies)
        without = set() if exclude is None else _read_names(exclude)
        with Source(root) as source:
            recordings = list(_recordings(source, num_classes))
            opened = prepare(
                path or f"{source.path}.h5",
                source,
                [r for r in recordings if r.name not in without],
                partial(parse, max_bodies=max_bodies),
                Skeleton.get("ntu25"),
                ACTIONS[:num_classes],
                recipe=f"max_bodies={max_bodies}",
                skip_faulty=skip_faulty,
            )
        chosen = [
            i
            for i, name in enumerate(opened.names)
            if _split(_Clip.of(name), benchmark) == split
        ]
        if not chosen:
            raise DataError(
                f"{source.path} holds no clip of the {split!r} split of "
                f"{benchmark!r}"
            )
        super().__init__(
            opened,
            clip_windows(opened, chosen),
            num_observed,
            num_future,
            transform=transform,
        )
        self.split = split
        self.benchmark = benchmark
        self.excluded = [r.name for r in recordings if r.name in without]
        self.skipped = opened.skipped


class _Clip(NamedTuple):
    setup: int
    camera: int
    subject: int
    action: int

    @classmethod
    def of(cls, name: str) -> "_Clip":
        found = NAME.fullmatch(name)
        if found is None or not 1 <= int(found[4]) <= len(ACTIONS):
            raise DataError(
                f"{name!r} is no clip of NTU-RGB+D; names are like "
                f"S001C002P003R002A013"
            )
        return cls(*map(int, found.groups()))


def _check(
    split: str, benchmark: str, num_classes: int, max_bodies: int
) -> None:
    check_split(split)
    if benchmark not in BENCHMARKS:
        raise ValueError(
            f"'benchmark' must be one of {tuple(BENCHMARKS)}, got {benchmark!r}"
        )
    if num_classes not in BENCHMARKS[benchmark]:
        raise ValueError(
            f"The benchmark {benchmark!r} has "
            f"{' or '.join(map(str, BENCHMARKS[benchmark]))} classes, got "
            f"'num_classes' {num_classes}"
        )
    if max_bodies < 1:
        raise ValueError(f"'max_bodies' must be at least 1, got {max_bodies}")


def _split(clip: _Clip, benchmark: str) -> str:
    training = {
        "xsub": clip.subject in SUBJECTS,
        "xview": clip.camera in CAMERAS,
        "xset": clip.setup % 2 == 0,
    }[benchmark]
    if not training:
        return "test"
    return "val" if clip.subject % 10 == 5 else "train"


def _recordings(source: Source, num_classes: int) -> Iterator[Recording]:
    for file in source:
        path = PurePosixPath(file)
        if path.suffix != ".skeleton":
            continue
        try:
            label = _Clip.of(path.stem).action - 1
        except DataError as e:
            raise DataError(f"{source.where(file)}: {e}") from None
        if label < num_classes:
            yield Recording(path.stem, file, label)


def _read_names(path: str | os.PathLike[str]) -> set[str]:
    names: set[str] = set()
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.strip().removesuffix(".skeleton")
        if NAME.fullmatch(name):
            names.add(name)
        elif name and names:
            raise DataError(
                f"{path}, line {number}: {name!r} is no name of a clip, such "
                f"as S001C002P003R002A013"
            )
    if not names:
        raise DataError(f"{path} names no clips, such as S001C002P003R002A013")
    return names

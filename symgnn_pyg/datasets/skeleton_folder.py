import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.data.prepare import Recording, prepare
from symgnn_pyg.datasets.motion_dataset import SPLITS, MotionDataset
from symgnn_pyg.datasets.sampling import (
    SHARES,
    check_sampling,
    choose_windows,
    deal,
)
from symgnn_pyg.errors import DataError
from symgnn_pyg.io.asf_amc import parse_asf
from symgnn_pyg.io.recording import (
    SUFFIXES,
    Common,
    find_common,
    has_skeleton,
    is_amc,
    parse_recording,
)
from symgnn_pyg.io.source import Source
from symgnn_pyg.skeleton import Skeleton

NOTES = ("README", "LICENSE", "LICENCE")


class SkeletonFolder(MotionDataset):
    r"""Your own skeletons, from a folder or zip archive with one folder for
    each class: :obj:`CLASS/RECORDING`, where a recording is

    - a :obj:`.npy` file, or a :obj:`.npz` file of one array, of shape
      :math:`[T, V, C]`, or :math:`[B, T, V, C]` for :math:`B` bodies;
    - a :obj:`.csv` file of :math:`V \cdot C` columns, the channels of the
      first joint first, a frame a line, under a line of names or none;
    - a :obj:`.bvh` file, or an :obj:`.amc` file beside the one :obj:`.asf`
      file of the whole folder. They bring their own skeleton and become
      positions in their own unit of length, by forward kinematics.

    Folders :obj:`train`, :obj:`val` and :obj:`test` around those of the
    classes are the splits. The recordings of :obj:`train`, or all where there
    are no such folders, are dealt out at random to :obj:`"train"` and the
    splits that have no folder: class by class and by recording, so no two
    splits share one. Where the same person is recorded several times, folders
    are better.

    Hidden files, and those called README or LICENSE, are passed over; others
    of an unknown kind are listed in :obj:`skipped`.

    Args:
        root: The folder or zip archive.
        skeleton: The skeleton. From :obj:`.bvh` and :obj:`.amc` files the
            joints of these names are taken, and all where none is given: then
            the files must have the same joints and bones, but not the same
            lengths of bones. (default: that of the files)
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        stride: The distance of one frame to the next, in frames of the file.
            (default: :obj:`1`)
        samples: :obj:`"windows"` for every window of each recording, or
            :obj:`"clips"` for one sample a recording, all of it, spread by
            linear interpolation over :obj:`num_observed` and :obj:`num_future`
            frames. (default: :obj:`"windows"`)
        shares: The shares of the splits that have no folder, in the order
            train, val, test, of each class: rounded, and one recording at
            least where the share is positive.
            (default: :obj:`(0.8, 0.1, 0.1)`)
        seed: Another seed deals recordings out in another way.
            (default: :obj:`0`)
        skip_faulty: If set to :obj:`True`, files that cannot be read are
            left out and listed in :obj:`skipped`; an error else.
            (default: :obj:`False`)
        path: The HDF5 file to keep the recordings in. It is made anew when
            they change. (default: :obj:`root` with suffix :obj:`.h5`, beside
            it)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If a file lies outside the folder of a class, cannot be
            parsed or has another skeleton; the message names file and line.
        ValueError: If an argument is none of its values, or no file tells the
            skeleton that is not given.

    Example:
        >>> arm = Skeleton.from_bones([("elbow", "hand"), ("hand", "tip")])
        >>> train = SkeletonFolder("motion", arm)  # doctest: +SKIP
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        skeleton: Skeleton | None = None,
        split: str = "train",
        num_observed: int = 50,
        num_future: int = 25,
        stride: int = 1,
        samples: str = "windows",
        shares: Sequence[float] = SHARES,
        seed: int = 0,
        skip_faulty: bool = False,
        path: str | os.PathLike[str] | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_sampling(split, samples, num_observed, num_future, stride, shares)
        with Source(root, anchors=SPLITS) as source:
            files = _find(source)
            split_of = _splits(source, files.recordings, shares, seed)
            common, recipe = _common(source, files, skeleton)
            classes = sorted({_class(file) for file in files.recordings})
            recordings = [
                Recording(
                    file.removesuffix(PurePosixPath(file).suffix),
                    file,
                    classes.index(_class(file)),
                )
                for file in files.recordings
            ]
            opened = prepare(
                path or f"{source.path}.h5",
                source,
                recordings,
                partial(parse_recording, common=common),
                common.skeleton,
                classes,
                recipe,
                skip_faulty,
            )
        chosen = [
            i
            for i, file in enumerate(opened.sources)
            if split_of[file] == split
        ]
        super().__init__(
            opened,
            choose_windows(
                opened, chosen, samples, num_observed, num_future, stride
            ),
            num_observed,
            num_future,
            stride,
            transform,
        )
        self.split = split
        self.skipped = {**opened.skipped, **files.unknown}


class _Files(NamedTuple):
    recordings: list[str]
    skeletons: list[str]
    unknown: dict[str, str]


def _find(source: Source) -> _Files:
    files = _Files([], [], {})
    for file in source:
        path = PurePosixPath(file)
        if _is_passed_over(path):
            continue
        if path.suffix.lower() == ".asf":
            files.skeletons.append(file)
        elif path.suffix.lower() in SUFFIXES:
            files.recordings.append(file)
        else:
            files.unknown[file] = f"none of {', '.join(SUFFIXES)}"
    if not files.recordings:
        raise DataError(
            f"{source.path} holds no recordings: put files of "
            f"{', '.join(SUFFIXES)} into one folder for each class"
        )
    _check_places(source, files.recordings)
    if not any(map(is_amc, files.recordings)):
        files.unknown.update(
            dict.fromkeys(files.skeletons, "there are no .amc files")
        )
    if files.unknown:
        warnings.warn(
            f"{source.path}: {len(files.unknown)} files were not read, "
            f"listed in 'skipped'; the first: "
            f"{', '.join([*files.unknown][:3])}",
            stacklevel=4,
        )
    return files


def _is_passed_over(path: PurePosixPath) -> bool:
    # Archives of macOS hold a second tree of notes on the first.
    return (
        any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
        or path.stem.upper() in NOTES
    )


def _check_places(source: Source, recordings: Sequence[str]) -> None:
    places = [PurePosixPath(file).parts for file in recordings]
    tops = {parts[0] for parts in places}
    has_splits = not tops.isdisjoint(SPLITS)
    # One folder may enclose those of the classes, as in many archives.
    enclosed = len(tops) == 1 and min(map(len, places)) == 3
    depth = 3 if has_splits or enclosed else 2
    for file, parts in zip(recordings, places, strict=True):
        if len(parts) != depth or (has_splits and parts[0] not in SPLITS):
            above = f"a folder of {', '.join(SPLITS)} and " * has_splits
            raise DataError(
                f"{source.where(file)} lies elsewhere than in {above}the "
                f"folder of a class"
            )


def _class(file: str) -> str:
    return PurePosixPath(file).parent.name


def _splits(
    source: Source,
    recordings: Sequence[str],
    shares: Sequence[float],
    seed: int,
) -> dict[str, str]:
    tops = {file: file.partition("/")[0] for file in recordings}
    in_folder = {file: top for file, top in tops.items() if top in SPLITS}
    present = set(in_folder.values())
    if present and "train" not in present:
        raise DataError(
            f"{source.path} has folders {', '.join(sorted(present))}, but no "
            f"recordings in train"
        )
    to_deal = {
        file: _class(file)
        for file in recordings
        if in_folder.get(file, "train") == "train"
    }
    splits = ["train", *(s for s in SPLITS[1:] if s not in present)]
    return {**in_folder, **deal(to_deal, shares, seed, splits)}


def _common(
    source: Source, files: _Files, skeleton: Skeleton | None
) -> tuple[Common, str]:
    asf, checksum = None, ""
    if any(map(is_amc, files.recordings)):
        if len(files.skeletons) != 1:
            raise DataError(
                f"{source.path} holds .amc files and {len(files.skeletons)} "
                f".asf files, expected one: keep the recordings of each body "
                f"in a root of their own"
            )
        content = source.read(files.skeletons[0])
        asf = parse_asf(content, source.where(files.skeletons[0]))
        checksum = hashlib.sha256(content).hexdigest()
    first = next(filter(has_skeleton, files.recordings), None)
    if first is None:
        if skeleton is None:
            raise ValueError(
                f"'skeleton' is needed: no file of {source.path} tells which "
                f"joints there are"
            )
        return Common(skeleton), checksum
    where = source.where(first)
    return find_common(source.read(first), where, skeleton, asf), checksum

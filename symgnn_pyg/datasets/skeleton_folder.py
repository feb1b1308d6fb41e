import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath

from symgnn_pyg.data import Recording, SkeletonData, prepare
from symgnn_pyg.datasets.custom_dataset import CustomDataset
from symgnn_pyg.datasets.folder_files import (
    compile_name_pattern,
    find_files,
    split_files,
)
from symgnn_pyg.datasets.folder_recordings import (
    add_table,
    find_bodies,
    find_common,
    read_frames,
)
from symgnn_pyg.datasets.sampling import SHARES, check_sampling
from symgnn_pyg.datasets.windows import SPLITS
from symgnn_pyg.io import POSITIONS, Source, check_axes
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class SkeletonFolder(CustomDataset):
    r"""Your own skeletons, from a folder or zip archive with one folder for
    each class: :obj:`CLASS/RECORDING`, where a recording is

    - a :obj:`.npy` file, or an array of a :obj:`.npz` file, of shape
      :math:`[T, V, C]`, or :math:`[M, T, V, C]` for :math:`M` bodies, of
      which those that are zero throughout are left out, as are such frames
      at the end;
    - a :obj:`.csv` or :obj:`.tsv` file with one frame per line and
      :math:`V \cdot C` columns, the channels of the first joint first,
      separated by commas, semicolons or tabs; the first line may name the
      columns;
    - a :obj:`.bvh` file, or an :obj:`.amc` file with the :obj:`.asf` file of
      its body. They bring their own skeleton, and become positions in their
      own unit of length by forward kinematics;
    - a ``.skeleton`` file of NTU-RGB+D, of the layout :obj:`"ntu25"`.

    The body of an :obj:`.amc` file is the :obj:`.asf` file in its folder, or
    the one whose name its own starts with (:obj:`07.asf` for
    :obj:`07_01.amc`), or else the only one.

    Folders :obj:`train`, :obj:`val` and :obj:`test` around those of the
    classes are the splits. The recordings of :obj:`train`, or all recordings
    if there are no such folders, are assigned at random to :obj:`"train"` and
    the splits that have no folder, class by class and recording by recording,
    so that no two splits share a recording. If several recordings show the
    same person, use folders, or a :obj:`name_pattern` that finds the person.

    Hidden files, and those named README or LICENSE, are ignored; files of an
    unknown kind are listed in :obj:`skipped`.

    Args:
        root: The folder or zip archive.
        skeleton: The skeleton. Of :obj:`.bvh` and :obj:`.amc` files the
            joints of these names are kept. (default: that of the files, which
            must then have the same joints and bones; lengths of bones may
            differ)
        split: :obj:`"train"`, :obj:`"val"` or :obj:`"test"`.
            (default: :obj:`"train"`)
        num_observed: The number of observed frames. (default: :obj:`50`)
        num_future: The number of frames to predict. (default: :obj:`25`)
        stride: The distance from one frame to the next, in frames of the
            file. (default: :obj:`1`)
        samples: :obj:`"windows"` for every window of each recording, or
            :obj:`"clips"` for each recording as one sample, stretched by
            linear interpolation over the observed and the future frames.
            (default: :obj:`"windows"`)
        shares: The shares of train, val and test in each class, for the
            splits that have no folder: rounded, but at least one recording if
            the share is positive. (default: :obj:`(0.8, 0.1, 0.1)`)
        seed: The seed for dealing the recordings. (default: :obj:`0`)
        name_pattern: A regular expression found in the path below
            :obj:`root`, without suffix, of every recording. Its group
            :obj:`label` is the class, instead of the folder, so that files
            may lie anywhere. Recordings of the same :obj:`group`, such as a
            person or a style, are assigned to the same split; :obj:`shares` are
            then shares of the groups. (default: :obj:`None`)
        groups: The groups in :obj:`"val"` and :obj:`"test"`, such as
            :obj:`{"test": ["anna", "ben"]}`, instead of groups assigned at
            random. (default: :obj:`None`)
        axes: The order of the axes of :obj:`.npy` files, such as
            :obj:`"CTVM"` for arrays of ST-GCN, from T (frames), V (joints),
            C (channels) and M (bodies).
            (default: :obj:`"TVC"` or :obj:`"MTVC"`)
        key: The name of the array in :obj:`.npz` files of several.
            (default: :obj:`None`)
        index_columns: The number of leading columns in :obj:`.csv` files that
            are not channels, such as a time, and are left out; see
            :func:`~symgnn_pyg.io.read_csv`. (default: :obj:`None`)
        fill_gaps: If set to :obj:`True`, missing joints (NaN or empty cells)
            are interpolated linearly, and held before the first and after the
            last frame where they were seen. (default: :obj:`False`)
        frame_rate: The frames per second. Files that state another rate,
            :obj:`.bvh` and :obj:`.csv` with a column of times, are resampled
            to it by linear interpolation; if none states its rate, it only
            describes them. The attribute :obj:`frame_rate` is that of the
            samples, which is divided by :obj:`stride`. (default: that of the
            files, which must then be the same)
        skip_faulty: If set to :obj:`True`, files that cannot be read are
            left out and listed in :obj:`skipped`, instead of raising an
            error. (default: :obj:`False`)
        path: The HDF5 file for the parsed recordings. It is written again
            when they change. (default: :obj:`root` with suffix :obj:`.h5`,
            beside it)
        kind: What the recordings hold: :obj:`"position"`, or
            :obj:`"rotation"` for exponential maps in radians. Errors are
            measured accordingly. (default: :obj:`"position"`)
        unit: The unit of positions, such as :obj:`"mm"`. Files must not state
            another. (default: that of the files, if they state it)
        num_coordinates: The number of leading channels that are coordinates;
            others, such as the confidence of key points, do not count in
            errors and are scaled by themselves in :meth:`standardize`.
            (default: all)
        transform: A transform of each sample. (default: :obj:`None`)

    Raises:
        FileNotFoundError: If :obj:`root` does not exist.
        DataError: If a file lies outside the folder of a class, does not
            match :obj:`name_pattern`, cannot be parsed or has another
            skeleton or unit; the message names file and line.
        ValueError: If an argument is not one of its values, or
            :obj:`skeleton` is required because no file has one.

    Example:
        >>> arm = Skeleton.from_bones([("elbow", "hand"), ("hand", "tip")])
        >>> train = SkeletonFolder("motion", arm)  # doctest: +SKIP
        >>> # From motion/walk_anna_01.npy, motion/walk_ben_01.npy, ...
        >>> train = SkeletonFolder(  # doctest: +SKIP
        ...     "motion",
        ...     arm,
        ...     name_pattern="(?P<label>[a-z]+)_(?P<group>[a-z]+)_",
        ...     groups={"test": ["anna"]},
        ... )
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        skeleton: Skeleton | str | None = None,
        split: str = "train",
        *,
        num_observed: int = 50,
        num_future: int = 25,
        stride: int = 1,
        samples: str = "windows",
        shares: Sequence[float] = SHARES,
        seed: int = 0,
        name_pattern: str | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        axes: str | None = None,
        key: str | None = None,
        index_columns: int | None = None,
        fill_gaps: bool = False,
        frame_rate: float | None = None,
        skip_faulty: bool = False,
        path: str | os.PathLike[str] | None = None,
        kind: str = "position",
        unit: str | None = None,
        num_coordinates: int | None = None,
        transform: Callable[[SkeletonData], SkeletonData] | None = None,
    ) -> None:
        check_sampling(split, samples, num_observed, num_future, stride, shares)
        check_axes(axes)
        pattern = compile_name_pattern(name_pattern, groups)
        if index_columns is not None and index_columns < 0:
            raise ValueError(
                f"Expected 'index_columns' >= 0, got {index_columns}"
            )
        if frame_rate is not None:
            # So that 25 and 25.0 are the same recipe of the store.
            frame_rate = float(frame_rate)
            if not 0 < frame_rate < math.inf:
                raise ValueError(
                    f"Expected a positive 'frame_rate', got {frame_rate}"
                )
        if skeleton is not None:
            skeleton = as_skeleton(skeleton)
        with Source(root, anchors=SPLITS) as source:
            files = find_files(source, pattern)
            placed = [f for f in files.classes if f.lower().endswith(POSITIONS)]
            if placed and kind != "position":
                raise ValueError(
                    f"{source.where(placed[0])} is read as positions, got "
                    f"kind={kind!r}"
                )
            split_of = split_files(source, files, shares, seed, groups)
            bodies, checksum = find_bodies(source, files)
            options = {
                "axes": axes,
                "fill": fill_gaps,
                "key": key,
                "index_columns": index_columns,
                "frame_rate": frame_rate,
                "kind": kind,
            }
            common = find_common(
                source, [*files.classes], bodies, skeleton, options
            )
            unit = "radians" if kind == "rotation" else unit
            common = add_table(source, [*files.classes], common, unit)
            classes = sorted(set(files.classes.values()))
            recordings = [
                Recording(
                    file.removesuffix(PurePosixPath(file).suffix),
                    file,
                    classes.index(label),
                )
                for file, label in files.classes.items()
            ]
            store = prepare(
                path or f"{source.path}.h5",
                source,
                recordings,
                parse=partial(read_frames, common=common),
                skeleton=common.skeleton,
                classes=classes,
                recipe=f"{checksum} {options} {common.unit}",
                skip_faulty=skip_faulty,
            )
        chosen = [
            i for i, file in enumerate(store.sources) if split_of[file] == split
        ]
        super().__init__(
            store,
            chosen,
            split=split,
            samples=samples,
            num_observed=num_observed,
            num_future=num_future,
            stride=stride,
            kind=kind,
            unit=unit or common.unit,
            num_coordinates=num_coordinates,
            transform=transform,
        )
        self.skipped = {**store.skipped, **files.unknown}
        rate = frame_rate or common.frame_rate
        self.frame_rate = rate / stride if rate else None

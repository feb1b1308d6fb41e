"""Folders of recordings: the options to open one, and a summary of it."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, get_args

import numpy as np

from symgnn_pyg.cli.arguments import (
    add_arrays,
    add_skeleton,
    count,
    number,
    rate,
)
from symgnn_pyg.cli.reading import check_options, share_missing
from symgnn_pyg.cli.tables import percent, print_table
from symgnn_pyg.datasets import MotionDataset, SkeletonFolder
from symgnn_pyg.datasets.sampling import SHARES
from symgnn_pyg.datasets.windows import SPLITS
from symgnn_pyg.errors import warn
from symgnn_pyg.files import expanded
from symgnn_pyg.io import Source
from symgnn_pyg.skeleton import Skeleton, count_coordinates
from symgnn_pyg.typing import Kind


def add_folder(parser: argparse.ArgumentParser) -> None:
    r"""Adds the options for reading a folder of recordings."""
    parser.add_argument(
        "--data",
        type=expanded,
        required=True,
        help="the folder or .zip archive of recordings",
    )
    add_arrays(parser)
    parser.add_argument(
        "--frame-rate",
        type=rate,
        help="frames per second; files that state another rate (.bvh, tables "
        "with times) are resampled (default: that of the files)",
    )
    parser.add_argument(
        "--skip-faulty",
        action="store_true",
        help="leave out files that cannot be read, instead of stopping",
    )
    parser.add_argument(
        "--path",
        metavar="FILE",
        type=expanded,
        help="the HDF5 file that caches the parsed recordings (default: the "
        "path of --data with the suffix .h5)",
    )
    add_names(parser)


def add_names(parser: argparse.ArgumentParser) -> None:
    r"""Adds the option for classes and groups in the names of files."""
    parser.add_argument(
        "--name-pattern",
        metavar="REGEX",
        help="a regular expression found in the path of every recording: its "
        "(?P<label>...) is the class, instead of the folder, and recordings "
        "of the same (?P<group>...), such as a person, are in the same split "
        "(default: none)",
    )


def add_splits(parser: argparse.ArgumentParser) -> None:
    r"""Adds the options that deal recordings to splits."""
    for split in SPLITS[1:]:
        parser.add_argument(
            f"--{split}-groups",
            nargs="+",
            metavar="GROUP",
            help=f"the groups of the {split} split, by what (?P<group>...) "
            f"finds (default: assigned at random)",
        )
    parser.add_argument(
        "--shares",
        type=number(float, 0),
        nargs=3,
        default=SHARES,
        metavar=("TRAIN", "VAL", "TEST"),
        help="the shares of recordings, or of groups, in the splits that have "
        "no folder of their own and no --val-groups or --test-groups",
    )


def splits_of(args: argparse.Namespace) -> dict[str, Any]:
    r"""The options of :func:`add_splits` as arguments of
    :class:`SkeletonFolder`.
    """
    groups = {"val": args.val_groups, "test": args.test_groups}
    return {
        "name_pattern": args.name_pattern,
        "groups": {s: given for s, given in groups.items() if given} or None,
        "shares": args.shares,
        "seed": args.seed,
    }


def add_meaning(parser: argparse.ArgumentParser) -> None:
    r"""Adds the options for the meaning of the numbers in recordings."""
    add_skeleton(parser)
    parser.add_argument(
        "--kind",
        choices=get_args(Kind),
        default="position",
        help="what the recordings hold: positions, or rotations as exponential "
        "maps in radians",
    )
    parser.add_argument(
        "--unit",
        help="the unit of positions, such as mm, which is shown beside errors "
        "and from which tables must not differ (default: that of the tables, "
        "if they state it)",
    )
    parser.add_argument(
        "--num-coordinates",
        type=count,
        help="the number of leading channels that are coordinates; others, "
        "such as scores, do not count in errors and are scaled by themselves "
        "(default: all)",
    )


def open_split(
    args: argparse.Namespace,
    split: str,
    skeleton: Skeleton | None,
    frame_rate: float | None,
    **kwargs: Any,
) -> SkeletonFolder:
    r"""Opens a split of a folder with the options of :func:`add_folder`."""
    kinds = (PurePosixPath(file).suffix.lower() for file in _source(args.data))
    check_options(args, kinds, str(args.data))
    return SkeletonFolder(
        args.data,
        skeleton,
        split,
        axes=args.axes,
        key=args.key,
        index_columns=args.index_columns,
        fill_gaps=args.fill_gaps,
        frame_rate=frame_rate,
        skip_faulty=args.skip_faulty,
        path=args.path,
        **kwargs,
    )


def summarise(
    dataset: SkeletonFolder,
    args: argparse.Namespace,
    splits: Mapping[str, MotionDataset] | None = None,
) -> None:
    r"""Prints what a folder holds: recordings, frames, rate, joints and gaps,
    in all and per class.
    """
    store, source = dataset.store, _source(args.data)
    gaps = np.zeros(len(store))
    if args.fill_gaps:
        for i, file in enumerate(store.sources):
            content, name = source.read(file), source.where(file)
            gaps[i] = share_missing(content, name, store.skeleton, args)
    lengths = store.lengths.numpy()
    frame_rate, time = dataset.frame_rate, " at an unknown rate"
    if frame_rate is not None:
        minutes, seconds = divmod(round(lengths.sum() / frame_rate), 60)
        time = (
            f": {minutes} min {seconds} s at {frame_rate:.4g} frames per second"
        )
    bodies = f"up to {store.bodies.max()} bodies of "
    print(
        f"{args.data}: {len(store)} recordings in {len(store.classes)} "
        f"classes, {lengths.sum():,} frames{time}\n"
        f"{bodies * bool((store.bodies > 1).any())}"
        f"{store.skeleton.num_joints} joints ({store.skeleton.name}) with "
        f"{store.num_channels} channels; "
        f"{dataset.kind}s in {dataset.unit or 'a unit that is not stated'}; "
        f"{percent(gaps.mean())} of the numbers are missing\n"
    )
    found = count_coordinates(store[0].numpy(), store.skeleton)
    if found < (dataset.num_coordinates or store.num_channels):
        warn(
            f"The third channel of {store.sources[0]} lies between 0 and 1, as "
            f"the scores of {store.skeleton.name} do; if it is a score, train "
            f"with --num-coordinates 2, so that errors leave it out"
        )
    splits = splits or {}
    used = [split.sequence_index for split in splits.values()]
    rows: list[Sequence[object]] = []
    for label, name in enumerate(store.classes):
        (own,) = np.nonzero(store.labels.numpy() == label)
        some = lengths[own] if len(own) else np.zeros(1, int)
        rows.append([
            name, len(own), some.sum(), some.min(), some.max(),
            percent(gaps[own].sum() / max(1, len(own))),
            *(np.isin(own, sequences).sum() for sequences in used),
        ])  # fmt: skip
    head = ["class", "recordings", "frames", "shortest", "longest", "missing"]
    print_table([*head, *splits], rows)


def _source(root: Path) -> Source:
    return Source(root, anchors=SPLITS)

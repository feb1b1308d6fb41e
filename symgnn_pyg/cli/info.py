"""Describe a recording, a folder of recordings or a model.

Examples:
  symgnn-pyg info walk.bvh
  symgnn-pyg info motion --layout coco17
  symgnn-pyg info cmu-light-long
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from symgnn_pyg.cli.arguments import (
    add_reading,
    add_skeleton,
    rate,
    skeleton_of,
)
from symgnn_pyg.cli.folder import add_names, open_split, summarise
from symgnn_pyg.cli.reading import (
    ARRAYS,
    check_options,
    read_input,
    share_missing,
)
from symgnn_pyg.cli.tables import percent, print_table
from symgnn_pyg.errors import DataError
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.io import SUFFIXES, check_axes, read_npy
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.layouts import LAYOUTS

CONFIG = "config.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        help="a recording, a folder or .zip archive with one folder per class, "
        "or a model: its folder, the name of one that comes with the library, "
        "or a repository on the Hugging Face Hub",
    )
    add_skeleton(parser)
    add_reading(parser, fill_gaps=False)
    add_names(parser)
    parser.add_argument(
        "--frame-rate",
        type=rate,
        help="frames per second, to tell durations (default: that of the "
        "files)",
    )


def run(args: argparse.Namespace) -> None:
    path = Path(args.what)
    is_folder = path.is_dir() and not (path / CONFIG).exists()
    if args.format is None and (is_folder or path.suffix.lower() == ".zip"):
        describe_folder(path, args)
    elif args.format or path.is_file() or path.suffix.lower() in SUFFIXES:
        describe_recording(path, args)
    else:
        model = PoseModel.from_pretrained(args.what)
        others = {*vars(args)} - {"what", "run", "parser", "arguments"}
        refuse(args, "a model", *sorted(others))
        describe_model(args.what, model)


def refuse(args: argparse.Namespace, what: str, *names: str) -> None:
    r"""Refuses options that would change nothing."""
    for name in names:
        if getattr(args, name) is not None:
            raise ValueError(f"'{name}' does not apply to {what}: leave it out")


def describe_folder(path: Path, args: argparse.Namespace) -> None:
    r"""Prints what a folder of recordings holds. Gaps are counted, and files
    that cannot be read are named.
    """
    refuse(args, "a folder", "asf", "max_bodies")
    args.data, args.fill_gaps, args.skip_faulty = path, True, True
    with tempfile.TemporaryDirectory() as folder:
        args.path = Path(folder, "recordings.h5")
        dataset = open_split(
            args,
            "train",
            skeleton_of(args),
            args.frame_rate,
            num_observed=1,
            num_future=0,
            shares=(1, 0, 0),
            name_pattern=args.name_pattern,
        )
        summarise(dataset, args)
    for file, why in dataset.skipped.items():
        print(f"not read: {file} ({why})")


def describe_recording(path: Path, args: argparse.Namespace) -> None:
    r"""Prints what a recording holds."""
    refuse(args, "a recording", "name_pattern")
    skeleton = skeleton_of(args)
    is_array = args.format is None and path.suffix.lower() in ARRAYS
    if skeleton is None and is_array:
        describe_array(path, args)
        return
    # Gaps are filled only to pass the checks, and counted in the file.
    args.fill_gaps = args.format is None
    motion = read_input(path, skeleton, args, args.frame_rate)
    frames, of = motion.frames, motion.skeleton
    missing = float(np.isnan(frames).mean())
    if args.format is None:
        missing = share_missing(path, str(path), of, args)
    told = args.frame_rate or motion.frame_rate
    rows: list[list[object]] = [
        ["frames", f"{frames.shape[-3]:,}"],
        ["frames per second", f"{told:.4g}" if told else "not stated"],
        ["bodies", len(frames) if frames.ndim == 4 else 1],
        ["joints", f"{of.num_joints} ({of.name})"],
        ["parts", ", ".join(of.part_names)],
        ["left-right pairs", len(of.pairs)],
        ["missing", f"{percent(missing)} of the numbers"],
    ]
    if told:
        rows.insert(2, ["seconds", f"{frames.shape[-3] / told:.2f}"])
    for c in range(frames.shape[-1]):
        low, high = np.nanmin(frames[..., c]), np.nanmax(frames[..., c])
        rows.append([f"channel {c}", f"from {low:.4g} to {high:.4g}"])
    print_table([str(path), ""], rows)


def describe_array(path: Path, args: argparse.Namespace) -> None:
    r"""Prints what an array holds, and the layouts that fit."""
    refuse(args, "an array without a layout", "frame_rate")
    check_axes(args.axes)
    check_options(args, [path.suffix.lower()], str(path))
    array = read_npy(path, str(path), True, args.key)
    print(f"{path}: {array.dtype} {list(array.shape)}")
    print(f"missing (NaN): {percent(np.isnan(array).mean())} of the numbers")
    axes = (args.axes or "MTVC"[-array.ndim :]).removeprefix("N")
    if len(axes) != array.ndim:
        raise DataError(
            f"{path} has shape {list(array.shape)}, which does not fit the "
            f"{len(axes)} axes {axes!r}"
        )
    num_joints = array.shape[axes.index("V")]
    fitting = [
        skeleton.name
        for skeleton in map(Skeleton.get, LAYOUTS)
        if skeleton.num_joints == num_joints
    ]
    print(
        f"layouts of {num_joints} joints: {', '.join(fitting) or 'none'}; pass "
        f"one as --layout to check the rest"
    )


def describe_model(name: str, model: PoseModel) -> None:
    r"""Prints what is known about a model."""
    about, skeleton = model.about, model.skeleton
    trained = about.get("trained", model.classes)
    rows: list[list[object]] = [
        ["network", type(model.model).__name__],
        ["parameters", f"{sum(p.numel() for p in model.parameters()):,}"],
        ["skeleton", f"{skeleton.name}, {skeleton.num_joints} joints"],
        ["channels", model.network.num_channels],
        ["samples", model.samples],
        ["observed frames", model.num_observed],
        ["predicted frames", model.num_future],
        ["frames per second", about.get("frame_rate", "not stated")],
        ["unit", about.get("unit", "not stated")],
        ["transforms", ", ".join(map(repr, model.network.steps)) or "none"],
        ["classes", ", ".join(
            each + " (not trained on)" * (each not in trained)
            for each in model.classes
        ) or "none"],
    ]  # fmt: skip
    for entry in ("metrics", "data"):
        found = about.get(entry, {})
        found = found if isinstance(found, dict) else {entry: found}
        rows += map(list, found.items())
    rows += [[k, about[k]] for k in ("command", "license") if k in about]
    print_table([name, ""], rows)

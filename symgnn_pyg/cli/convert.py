"""Convert a recording to another format or layout.

Examples:
  symgnn-pyg convert walk.bvh walk.npy
  symgnn-pyg convert walk.bvh walk.npy --rotations
  symgnn-pyg convert walk.bvh slow.bvh --frame-rate 30
  symgnn-pyg convert clip.npy clip.csv --layout coco17
  symgnn-pyg convert clip.npy body.npy --layout coco17 --to h36m17

With --to, joints are matched by their names, and a report says which are the
same, averaged, made up and lost.
"""

import argparse
from pathlib import Path

import torch

from symgnn_pyg.cli.arguments import (
    add_gaps,
    add_reading,
    add_skeleton,
    rate,
    read_input,
    read_skeleton,
    skeleton_of,
)
from symgnn_pyg.cli.recordings import (
    SCORED,
    kind_of,
    read_rotations,
    resampled,
    write_motion,
)
from symgnn_pyg.files import resolved
from symgnn_pyg.io import write_bvh
from symgnn_pyg.skeleton import Skeleton, conversion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, help="the recording")
    parser.add_argument(
        "output",
        type=Path,
        help="the .npy or .csv file to write, or from a .bvh file a .bvh file",
    )
    add_skeleton(parser)
    add_reading(parser)
    add_gaps(parser)
    parser.add_argument(
        "--to",
        metavar="LAYOUT",
        help="the layout to convert positions to, or a skeleton of your own "
        "as a .json or .bvh file (default: none)",
    )
    parser.add_argument(
        "--frame-rate",
        type=rate,
        help="the frames per second to resample to, by linear interpolation "
        "(default: that of the file)",
    )
    parser.add_argument(
        "--rotations",
        action="store_true",
        help="write the rotations of a .bvh file (exponential maps), not "
        "positions, to train on",
    )


def run(args: argparse.Namespace) -> None:
    if resolved(args.input) == resolved(args.output):
        raise ValueError(
            f"{args.input} would be overwritten: pass another 'output'"
        )
    is_bvh = args.input.suffix.lower() == ".bvh"
    if args.rotations or (is_bvh and args.output.suffix.lower() == ".bvh"):
        convert_rotations(args)
        return
    motion = read_input(args.input, skeleton_of(args), args, args.fill_gaps)
    if args.frame_rate and not motion.frame_rate:
        raise ValueError(
            f"{args.input} does not state its frame rate, so it cannot be "
            f"resampled: leave out 'frame_rate'"
        )
    kind = kind_of(args.format)
    motion = resampled(motion, args.frame_rate, args.input, kind)
    frames, skeleton = motion.frames, motion.skeleton
    if args.to is not None:
        if kind == "rotation":
            raise ValueError(
                "Files of AMASS hold rotations, and --to converts positions"
            )
        if Path(args.to).suffix.lower() in (".json", ".bvh"):
            wanted = read_skeleton(Path(args.to))
        else:
            wanted = Skeleton.get(args.to)
        convert = conversion(skeleton, wanted)
        print(convert)
        skeleton = wanted
        frames = convert(torch.from_numpy(frames), dim=-2).numpy()
    write_motion(args.output, frames, skeleton, args.format in SCORED)
    at = ""
    if motion.frame_rate:
        at = (
            f" at {motion.frame_rate:.4g} per second, which the file does not "
            f"store"
        )
    print(f"Wrote {args.output}: {frames.shape[-3]} frames{at}")


def convert_rotations(args: argparse.Namespace) -> None:
    r"""Converts a BVH file without computing positions."""
    if args.input.suffix.lower() != ".bvh" or any(
        (args.format, args.layout, args.skeleton, args.to)
    ):
        raise ValueError(
            "Rotations are read from .bvh files, and of all joints: leave out "
            "--format, --layout, --skeleton and --to"
        )
    motion, translation = read_rotations(args.input, args.frame_rate)
    if args.output.suffix.lower() == ".bvh":
        rate = motion.frame_rate
        write_bvh(args.output, motion.frames, args.input, translation, rate)
    else:
        write_motion(args.output, motion.frames, motion.skeleton)
    print(
        f"Wrote {args.output}: {len(motion.frames)} frames at "
        f"{motion.frame_rate:.4g} per second"
    )

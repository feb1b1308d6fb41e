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
    add_reading,
    add_skeleton,
    rate,
    read_skeleton,
    skeleton_of,
)
from symgnn_pyg.cli.reading import (
    SCORED,
    kind_of,
    read_input,
    read_rotations,
    resampled,
)
from symgnn_pyg.cli.writing import write_motion
from symgnn_pyg.files import expanded, resolved
from symgnn_pyg.io import write_bvh
from symgnn_pyg.skeleton import Skeleton, conversion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=expanded, help="the recording")
    parser.add_argument(
        "output",
        type=expanded,
        help="the file to write: .npy or .csv, or .bvh if the input is one",
    )
    add_skeleton(parser)
    add_reading(parser)
    parser.add_argument(
        "--to",
        metavar="LAYOUT",
        help="the layout to convert positions to, or a skeleton of your own: "
        "a .json or .bvh file (default: none)",
    )
    parser.add_argument(
        "--frame-rate",
        type=rate,
        help="the frames per second to resample to, by interpolation "
        "(default: that of the file)",
    )
    parser.add_argument(
        "--rotations",
        action="store_true",
        help="write the rotations of a .bvh file, as exponential maps in "
        "radians, instead of positions",
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
    motion = read_input(args.input, skeleton_of(args), args, args.frame_rate)
    if args.frame_rate and not motion.frame_rate:
        raise ValueError(
            f"{args.input} does not state its frame rate, so it cannot be "
            f"resampled: leave out 'frame_rate'"
        )
    kind = kind_of(args.input, args.format) or "position"
    motion = resampled(motion, args.frame_rate, args.input, kind)
    frames, skeleton = motion.frames, motion.skeleton
    if args.to is not None:
        if kind == "rotation":
            raise ValueError(
                "AMASS files hold rotations, but --to converts positions: "
                "leave it out"
            )
        is_file = Path(args.to).suffix.lower() in (".json", ".bvh")
        read = read_skeleton if is_file else Skeleton.get
        source, skeleton = skeleton, read(args.to)
        convert = conversion(source, skeleton)
        print(convert)
        frames = convert(torch.from_numpy(frames), dim=-2).numpy()
    write_motion(args.output, frames, skeleton, args.format in SCORED)
    text = f"Wrote {args.output}: {frames.shape[-3]} frames"
    if motion.frame_rate:
        text += f" at {motion.frame_rate:.4g} per second"
        text += ", which the file does not store"
    print(text)


def convert_rotations(args: argparse.Namespace) -> None:
    r"""Converts a BVH file without computing positions."""
    if args.input.suffix.lower() != ".bvh" or any(
        (args.format, args.layout, args.skeleton, args.to)
    ):
        raise ValueError(
            "Rotations are read from .bvh files, for all joints: pass a .bvh "
            "file, without --format, --layout, --skeleton and --to"
        )
    motion, translation = read_rotations(args, args.frame_rate)
    frames, skeleton, own, _ = motion
    if args.output.suffix.lower() == ".bvh":
        write_bvh(args.output, frames, args.input, translation, own)
    else:
        write_motion(args.output, frames, skeleton)
    print(f"Wrote {args.output}: {len(frames)} frames at {own:.4g} per second")

"""Draw a recording: an interactive page, a picture or an animation.

Examples:
  symgnn-pyg view walk.bvh --output walk.html
  symgnn-pyg view clip.npy --layout coco17 --up=-y
  symgnn-pyg view clip.npy --model outputs/train/model --output walk.gif

With --model, the last frames that it observes are followed by those that it
predicts.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from symgnn_pyg.cli.arguments import (
    add_model,
    add_reading,
    add_skeleton,
    count,
    rate,
    skeleton_of,
)
from symgnn_pyg.cli.predict import answer_of, read_for
from symgnn_pyg.cli.reading import IN_IMAGES, SCORED, kind_of, read_input
from symgnn_pyg.cli.writing import check_suffix
from symgnn_pyg.files import expanded, replacing
from symgnn_pyg.inference import PoseModel
from symgnn_pyg.skeleton import Skeleton, joint_positions

PICTURES = (".png", ".svg", ".pdf")
SUFFIXES = (".html", ".gif", ".mp4", *PICTURES)
# The poses of a picture.
COLUMNS = 8
FRAME_RATE = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=expanded, help="the recording")
    parser.add_argument(
        "--output",
        type=expanded,
        default=Path("motion.html"),
        help=f"the file to write, {', '.join(SUFFIXES)}; an .mp4 requires the "
        f"program ffmpeg",
    )
    add_model(parser, required=False)
    add_skeleton(parser)
    add_reading(parser)
    parser.add_argument(
        "--frame-rate",
        type=rate,
        help=f"frames per second (default: that of the file or the model, or "
        f"{FRAME_RATE:g})",
    )
    parser.add_argument(
        "--every",
        type=count,
        default=1,
        help="draw only every n-th frame",
    )
    parser.add_argument(
        "--num-coordinates",
        type=count,
        help="the number of leading channels that are coordinates (default: "
        "that of the model, or all but a score)",
    )
    parser.add_argument(
        "--rotations",
        action="store_true",
        help="the recording holds exponential maps: compute positions, in "
        "layout cmu26, h36m20 or a skeleton with offsets",
    )
    parser.add_argument(
        "--up",
        choices=["y", "-y", "z"],
        help="the axis that points up; for images write --up=-y (default: -y "
        "in formats of pose estimators, y otherwise)",
    )
    parser.add_argument(
        "--centre",
        metavar="JOINT",
        help="the joint to keep at the origin, so that a walking body stays "
        "in view (default: none)",
    )
    parser.add_argument(
        "--plotlyjs",
        choices=["page", "directory", "cdn"],
        help="where an .html page gets plotly from: the page itself, "
        "compressed to 2 MB; plotly.min.js beside it, 5 MB that the pages of "
        "a folder share; or the internet (default: page)",
    )


def run(args: argparse.Namespace) -> None:
    suffix = check_suffix(args.output, SUFFIXES)
    if args.plotlyjs is not None and suffix != ".html":
        raise ValueError(
            f"'plotlyjs' applies to .html files, got it for {args.output}: "
            f"leave it out"
        )
    starts = {}
    if args.model is None:
        check_rotations(args, kind_of(args.input, args.format))
        kind = "rotation" if args.rotations else "position"
        rate, skeleton = args.frame_rate, skeleton_of(args)
        motion = read_input(args.input, skeleton, args, rate, kind)
        poses = {args.input.name: motion.frames}
        known, told = motion.frame_rate, None
    else:
        model = PoseModel.from_pretrained(args.model, skeleton_of(args))
        motion = read_for(model, args)
        own = kind_of(args.input, args.format)
        check_rotations(args, model.about.get("kind") or own)
        poses = observed_and_predicted(model, motion.frames, args.input)
        known = motion.frame_rate or model.about.get("frame_rate")
        told = model.about.get("num_coordinates")
        if "predicted" in poses and args.every > model.num_future:
            raise ValueError(
                f"'every' must be at most {model.num_future}, the number of "
                f"predicted frames, got {args.every}"
            )
        # The last observed frame stays, and predicted ones continue from it.
        last = poses["observed"].shape[-3] - 1
        starts["observed"] = last % args.every
        starts["predicted"] = args.every - 1
    drawn = {}
    for name, frames in poses.items():
        places = positions(frames, motion.skeleton, args)
        drawn[name] = places[starts.get(name, 0) :: args.every]
    frame_rate = (args.frame_rate or known or FRAME_RATE) / args.every
    up = args.up or ("-y" if args.format in IN_IMAGES else "y")
    options = {"up": up, "centre": args.centre or False}
    scored = 2 if args.format in SCORED else None
    options["num_coordinates"] = args.num_coordinates or told or scored
    if args.plotlyjs is not None:
        options["plotlyjs"] = args.plotlyjs
    draw(drawn, motion.skeleton, frame_rate, args.output, options)
    print(f"Wrote {args.output}")


def check_rotations(args: argparse.Namespace, kind: str | None) -> None:
    r"""Refuses rotations that would be drawn as positions, and the other way
    round, where the format or the model tells what the recording holds.
    """
    if kind == "rotation" and not args.rotations:
        raise ValueError(
            f"{args.input} holds rotations, which would be drawn as positions: "
            f"pass 'rotations', with layout cmu26, h36m20 or a skeleton that "
            f"has offsets"
        )
    if kind == "position" and args.rotations:
        raise ValueError(
            f"{args.input} holds positions, which are drawn as they are: leave "
            f"out 'rotations'"
        )


def observed_and_predicted(
    model: PoseModel, frames: np.ndarray, path: Path
) -> dict[str, np.ndarray]:
    r"""The poses that a model observes, and those that it predicts, if it
    does. Prints the action.
    """
    answer = answer_of(model, frames, path)
    if answer.probabilities is not None:
        share = answer.probabilities[answer.action]
        print(f"{answer.action} ({share:.1%})")
    if model.samples == "windows":
        frames = frames[..., -model.num_observed :, :, :]
    poses = {"observed": frames}
    if answer.future is not None:
        poses["predicted"] = answer.future
    return poses


def positions(
    frames: np.ndarray, skeleton: Skeleton, args: argparse.Namespace
) -> np.ndarray:
    r"""What to draw of a recording, of shape :math:`[T, V, C]` or
    :math:`[T, M, V, C]`.
    """
    if args.rotations:
        frames = joint_positions(torch.from_numpy(frames), skeleton).numpy()
    return frames if frames.ndim == 3 else frames.swapaxes(0, 1)


def draw(
    poses: Mapping[str, np.ndarray],
    skeleton: Skeleton,
    frame_rate: float,
    path: Path,
    options: Mapping[str, Any],
) -> None:
    r"""Draws motions to a file in the format of its suffix."""
    from symgnn_pyg.visualization import animate_poses, plot_poses, view_poses

    suffix = path.suffix.lower()
    if suffix == ".html":
        view_poses(poses, skeleton, frame_rate, path=path, **options)
        return
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    if suffix not in PICTURES:
        try:
            animate_poses(poses, skeleton, frame_rate, path, **options)
        except RuntimeError as error:  # There is no ffmpeg.
            raise OSError(str(error)) from error
        return
    frames = np.concatenate([*poses.values()])
    at = np.linspace(0, len(frames) - 1, COLUMNS)
    shown = np.unique(at.round().astype(int))
    # The last observed frame is at 0 ms.
    zero = max(len(poses.get("observed", ())) - 1, 0)
    times = [f"{1000 * (t - zero) / frame_rate:.0f} ms" for t in shown]
    figure = plot_poses(
        {", ".join(poses): frames[shown]}, skeleton, times, **options
    )
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=200)
    plt.close(figure)

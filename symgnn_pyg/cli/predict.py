"""Recognise an action in a recording, and predict the poses that follow.

Examples:
  symgnn-pyg predict --model cmu-light-short --input clip.npy
  symgnn-pyg predict --model outputs/train/model --input clip.bvh \\
    --output future.npy
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from symgnn_pyg.cli.arguments import add_model, add_reading, count
from symgnn_pyg.cli.reading import (
    check_kind,
    kind_of,
    read_input,
    read_rotations,
    resampled,
)
from symgnn_pyg.cli.tables import print_table
from symgnn_pyg.cli.writing import check_suffix, write_motion
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import expanded, replacing, resolved
from symgnn_pyg.inference import PoseModel, PoseOutput
from symgnn_pyg.io import Motion, same_unit, write_bvh

SUFFIXES = (".npy", ".csv", ".json")
TRAIN_ON_ROTATIONS = (
    "train on rotations first: `symgnn-pyg convert IN.bvh OUT.npy --rotations` "
    "for each recording, then `symgnn-pyg train --kind rotation --skeleton "
    "IN.bvh`"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--input",
        type=expanded,
        required=True,
        help="the recording: a .npy, .npz, .csv, .bvh, .amc or .skeleton file, "
        "or one of another --format",
    )
    add_reading(parser)
    parser.add_argument(
        "--stride",
        type=count,
        help="answer one window every this many frames, from the first on "
        "(default: only the last window)",
    )
    parser.add_argument(
        "--top",
        type=count,
        default=5,
        help="the number of classes to print, the most probable first",
    )
    parser.add_argument(
        "--output",
        type=expanded,
        help="the file to write the predicted poses to: .npy or .csv; .json, "
        "which also holds the probabilities and is the only choice for a model "
        "that only recognises; or .bvh, if the input is a .bvh file and the "
        "model takes rotations (default: none)",
    )


def run(args: argparse.Namespace) -> None:
    is_bvh = args.input.suffix.lower() == ".bvh" and args.format is None
    if args.output and resolved(args.input) == resolved(args.output):
        raise ValueError(
            f"{args.input} would be overwritten: pass another 'output'"
        )
    to_bvh = is_bvh and str(args.output).lower().endswith(".bvh")
    if args.output is not None and not to_bvh:
        check_suffix(args.output, SUFFIXES)
    if to_bvh and args.stride is not None:
        raise ValueError("A .bvh file holds one window: leave out --stride")
    model = PoseModel.from_pretrained(args.model)
    to_json = args.output is not None and args.output.suffix.lower() == ".json"
    if args.output is not None and not (model.num_future or to_json):
        raise ValueError(
            f"{args.model} only recognises, and {args.output} would hold "
            f"poses: pass a .json file as --output"
        )
    rate = model.about.get("frame_rate")
    if is_bvh and model.about.get("kind") == "rotation":
        motion, translation = read_rotations(args, rate)
        if motion.skeleton.joints != model.skeleton.joints:
            raise ValueError(
                f"{args.input} has other joints than the skeleton of the "
                f"model, {model.skeleton!r}; {TRAIN_ON_ROTATIONS}"
            )
    elif to_bvh:
        raise ValueError(
            f"{args.output} would hold rotations, but the model predicts "
            f"positions, which do not determine them; {TRAIN_ON_ROTATIONS}"
        )
    else:
        motion = read_for(model, args)
    frames = motion.frames
    answer = answer_of(model, frames, args.input, args.stride)
    which = f"the last {model.num_observed}"
    if model.samples == "clips":
        which = "all of them"
    elif args.stride is not None:
        which = f"windows of {model.num_observed}, one every {args.stride}"
    print(f"{args.input}: {frames.shape[-3]} frames; the answer is for {which}")
    if answer.probabilities is not None:
        print()
        print_classes(answer.probabilities, args, model.num_observed)
    if answer.future is not None:
        print(f"\n{described(model)}")
    if args.output is not None:
        if to_bvh:
            # The network predicts no translations: the body stays in place.
            future, last = answer.future, translation[-1]
            write_bvh(args.output, future, args.input, last, motion.frame_rate)
        else:
            write(args.output, answer, model)
        print(f"Wrote {args.output}")


def read_for(model: PoseModel, args: argparse.Namespace) -> Motion:
    r"""The recording to answer, at the frame rate of the model."""
    check_kind(args.input, args.format, model.about)
    rate = model.about.get("frame_rate")
    own = kind_of(args.input, args.format)
    kind = model.about.get("kind") or own or "position"
    motion = read_input(args.input, model.skeleton, args, rate, kind)
    unit = model.about.get("unit")
    if motion.unit and unit and not same_unit(motion.unit, unit):
        raise DataError(
            f"{args.input} states the unit {motion.unit}, but the model takes "
            f"{unit}; convert the numbers, and correct the unit in the file"
        )
    return resampled(motion, rate, args.input, kind)


def answer_of(
    model: PoseModel, frames: np.ndarray, path: Path, stride: int | None = None
) -> PoseOutput:
    r"""The answer to a recording, whose bodies are recognised together:
    probabilities are numbers, or arrays of shape :math:`[W]`.
    """
    found, rate = frames.shape[-3], model.about.get("frame_rate")
    if model.samples == "windows" and found < model.num_observed:
        raise DataError(
            f"{path}: the model observes {model.num_observed} frames"
            + (f" at {rate:.4g} per second" if rate else "")
            + f", but the recording has {found}: pass a longer one, or train "
            f"a model that observes less with `symgnn-pyg train --observed "
            f"{found}`"
        )
    bodies = [len(frames)] if frames.ndim == 4 else None
    try:
        answer = model(frames, stride=stride, num_bodies=bodies)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    if bodies is None or answer.probabilities is None:
        return answer
    return answer._replace(
        action=answer.action[0],
        probabilities={
            name: shares[0] for name, shares in answer.probabilities.items()
        },
    )


def print_classes(
    probabilities: dict[str, Any],
    args: argparse.Namespace,
    num_observed: int,
) -> None:
    r"""Prints the most probable classes of the last window, or the most
    probable one of each window.
    """
    names = [*probabilities]
    shares = np.stack([*probabilities.values()], axis=-1)  # [K] or [W, K]
    if args.stride is None:
        best = np.argsort(-shares, kind="stable")[: args.top]
        rows = [[names[k], f"{shares[k]:6.1%}"] for k in best]
        print_table(["class", "probability"], rows)
        return
    rows = []
    for w, k in enumerate(shares.argmax(axis=1)):
        first, share = w * args.stride, f"{shares[w, k]:6.1%}"
        rows.append([first, first + num_observed - 1, names[k], share])
    print_table(["first frame", "last frame", "class", "probability"], rows)


def described(model: PoseModel) -> str:
    r"""A sentence about the predicted poses: how many, when, in what unit."""
    text = (
        f"Predicted {model.num_future} frames of "
        f"{model.skeleton.num_joints} joints"
    )
    rate = model.about.get("frame_rate")
    if rate:
        text += f", {1000 * model.num_future / rate:.0f} ms"
    unit = model.about.get("unit")
    return f"{text}, in {unit or 'the unit of the data'}"


def write(path: Path, answer: PoseOutput, model: PoseModel) -> None:
    r"""Writes an answer to a file that is not a .bvh file."""
    if path.suffix.lower() != ".json":
        write_motion(path, answer.future, model.skeleton)
        return
    document = {
        "action": answer.action,
        "probabilities": {
            name: np.asarray(shares).tolist()
            for name, shares in (answer.probabilities or {}).items()
        },
        "future": None if answer.future is None else answer.future.tolist(),
        "joints": model.skeleton.joints,
        "unit": model.about.get("unit"),
        "frame_rate": model.about.get("frame_rate"),
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document) + "\n", encoding="utf-8")

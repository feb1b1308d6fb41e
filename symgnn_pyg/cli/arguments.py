"""Options that several commands share."""

import argparse
import json
import textwrap
from collections.abc import Callable
from pathlib import Path

from symgnn_pyg.cli.reading import FORMATS
from symgnn_pyg.errors import DataError
from symgnn_pyg.files import expanded
from symgnn_pyg.io import read_bvh_header, read_text
from symgnn_pyg.skeleton import Skeleton


class Formatter(
    argparse.ArgumentDefaultsHelpFormatter,
    argparse.RawDescriptionHelpFormatter,
):
    r"""Shows the default of each option, in words where the help has them."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        told = action.required or "(default: " in (action.help or "")
        if not told and isinstance(action.default, list | tuple):
            # As it is typed.
            values = " ".join(map(str, action.default))
            return f"{action.help} (default: {values})"
        return action.help if told else super()._get_help_string(action)

    def _split_lines(self, text: str, width: int) -> list[str]:
        # Names such as cmu-light-long stay whole.
        return textwrap.wrap(text, width, break_on_hyphens=False)


def number(
    kind: type, least: float, most: float = float("inf")
) -> Callable[[str], float]:
    r"""An argument type for numbers in a range."""

    def convert(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            above = f" and at most {most:g}" if most < float("inf") else ""
            raise argparse.ArgumentTypeError(
                f"must be at least {least:g}{above}, got {text}"
            )
        return value

    convert.__name__ = "whole number" if kind is int else "number"
    return convert


count = number(int, 1)
rate = number(float, 1e-3)


def add_skeleton(parser: argparse.ArgumentParser) -> None:
    r"""Adds the options for the skeleton of recordings; see
    :func:`skeleton_of`.
    """
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--layout",
        help="the built-in skeleton of the recordings, such as coco17; "
        "`symgnn-pyg layouts` lists all (default: that of the file)",
    )
    group.add_argument(
        "--skeleton",
        metavar="FILE",
        type=expanded,
        help="a skeleton of your own: a JSON file with 'joints', 'bones' as "
        "(child, parent) pairs, and any further arguments of Skeleton; or a "
        ".bvh file (default: that of the file)",
    )


def skeleton_of(args: argparse.Namespace) -> Skeleton | None:
    r"""The skeleton that the options name, if any."""
    if args.layout is not None:
        return Skeleton.get(args.layout)
    return None if args.skeleton is None else read_skeleton(args.skeleton)


def read_skeleton(path: Path | str) -> Skeleton:
    r"""Reads a skeleton from a JSON file with the arguments of
    :class:`~symgnn_pyg.Skeleton`, or from a BVH file.
    """
    path = Path(path)
    if path.suffix.lower() == ".bvh":
        return read_bvh_header(path).skeleton
    content, name = read_text(path)
    try:
        return Skeleton(**{"name": path.stem, **json.loads(content)})
    except (LookupError, RecursionError, TypeError, ValueError) as error:
        raise DataError(
            f"{name} does not describe a skeleton: {error}; expected a JSON "
            f"object with 'joints' and 'bones', as `symgnn-pyg layouts NAME "
            f"--json` prints"
        ) from error


def add_model(parser: argparse.ArgumentParser, required: bool = True) -> None:
    r"""Adds the option that names a model."""
    parser.add_argument(
        "--model",
        required=required,
        help="the folder of a model, such as the one that `symgnn-pyg train` "
        "writes; the name of one that comes with the library, such as "
        "cmu-light-long; or a repository on the Hugging Face Hub"
        + " (default: none)"
        * (not required),
    )


def add_reading(
    parser: argparse.ArgumentParser, fill_gaps: bool = True
) -> None:
    r"""Adds the options for reading a recording."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="the format, for files whose suffix does not determine it "
        "(default: that of the suffix)",
    )
    parser.add_argument(
        "--asf",
        metavar="FILE",
        type=expanded,
        help="the .asf file with the body of an .amc file, which requires it "
        "(default: none)",
    )
    parser.add_argument(
        "--max-bodies",
        type=count,
        help="the largest number of bodies to keep, linked over time, in the "
        "formats coco, kinetics, mediapipe, ntu and openpose (default: 2 in "
        "ntu; mediapipe refuses several; in the others, the one with the "
        "highest scores over all frames)",
    )
    add_arrays(parser, fill_gaps)


def add_arrays(parser: argparse.ArgumentParser, fill_gaps: bool = True) -> None:
    r"""Adds the options for arrays and tables in files."""
    parser.add_argument(
        "--axes",
        help="the order of the axes of .npy and .npz files, such as CTVM, from "
        "T (frames), V (joints), C (channels) and M (bodies) (default: TVC or "
        "MTVC)",
    )
    parser.add_argument(
        "--key",
        help="the array to read from an .npz file that holds several (default: "
        "the only one)",
    )
    parser.add_argument(
        "--index-columns",
        type=number(int, 0),
        help="the number of leading columns of tables that are not channels, "
        "such as a time (default: those that name no joint, if the first line "
        "has names, and none otherwise)",
    )
    if fill_gaps:
        parser.add_argument(
            "--fill-gaps",
            action="store_true",
            help="interpolate missing joints (NaN or empty cells) over time",
        )

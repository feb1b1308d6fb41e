"""The command :obj:`symgnn-pyg`, also :obj:`python -m symgnn_pyg`."""

import argparse
import os
import re
import sys
import warnings
from collections.abc import Sequence
from io import TextIOWrapper

from symgnn_pyg import __version__
from symgnn_pyg.cli import (
    convert,
    evaluate,
    info,
    layouts,
    predict,
    train,
    view,
)
from symgnn_pyg.cli.arguments import Formatter

__all__ = ["main"]

COMMANDS = (predict, view, convert, layouts, info, train, evaluate)
# The status of a program that Ctrl-C ended.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    r"""Runs the command :obj:`symgnn-pyg`.

    Args:
        arguments: Its arguments. (default: those of the process)

    Returns:
        The exit status: 0, or 1 after an error and 130 after Ctrl-C, both of
        which are reported in a sentence. Wrong arguments end the process with
        status 2.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    args = make_parser().parse_args(arguments)
    args.arguments = arguments
    if isinstance(sys.stdout, TextIOWrapper):
        # Not every terminal or file can hold the names of a user's classes.
        sys.stdout.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(
            f"Note: {_with_options(str(message), args.parser)}",
            file=sys.stderr,
        )
        warnings.filterwarnings("ignore", module="lightning|torch")
        try:
            args.run(args)
            # Standard output may be closed, and is None then.
            print(end="", flush=True)
        except BrokenPipeError:
            # The reader of the output, such as `head`, has seen enough. Nothing
            # must be written when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except KeyboardInterrupt as stopped:
            print(f"\n{str(stopped) or 'Stopped'}", file=sys.stderr)
            return INTERRUPTED
        except (ArithmeticError, ImportError, OSError, ValueError) as error:
            text = _with_options(str(error), args.parser)
            print(f"Error: {text}", file=sys.stderr)
            return 1
    return 0


def make_parser() -> argparse.ArgumentParser:
    r"""The parser of the command and its subcommands."""
    parser = argparse.ArgumentParser(
        prog="symgnn-pyg",
        description="Recognise and predict the motion of skeletons.",
        epilog="symgnn-pyg COMMAND --help explains a command.",
    )
    parser.add_argument(
        "--version", action="version", version=f"symgnn_pyg {__version__}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS:
        text = (module.__doc__ or "").strip()
        command = commands.add_parser(
            module.__name__.rpartition(".")[2],
            help=text.partition("\n")[0].rstrip("."),
            description=text,
            formatter_class=Formatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, parser=command)
    return parser


def _with_options(text: str, parser: argparse.ArgumentParser) -> str:
    """A message of the library that names options instead of arguments."""
    for action in parser._actions:
        if action.option_strings:
            option = action.option_strings[-1]
            if action.dest == "skeleton":
                option = f"--layout or {option}"
            name = re.escape(action.dest)
            text = re.sub(rf"\b{name}=True\b|'{name}'", option, text)
            # After a comma it is an argument in the repr of an object.
            value = rf"(?<!, )\b{name}=(?:'([^']*)'|(\d+))"
            text = re.sub(value, rf"{option} \1\2", text)
    return text

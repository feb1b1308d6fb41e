"""Helpers that the examples share."""

import argparse
import json
import shlex
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.nn import Module

from symgnn_pyg import Skeleton
from symgnn_pyg.data import bone_features
from symgnn_pyg.files import replacing
from symgnn_pyg.nn import DualSymGNN, DualSymGNNOutput
from symgnn_pyg.skeleton import joint_positions

if TYPE_CHECKING:
    # Not every example draws.
    from matplotlib.figure import Figure


@contextmanager
def no_traceback(
    stopped: Callable[[], str] = lambda: "Stopped",
) -> Iterator[None]:
    """Ends the script with a sentence instead of a traceback: with status 1
    after an error that a user can cause, and with 130 after Ctrl-C or a request
    to terminate. Shows warnings as notes.

    Args:
        stopped: Returns the sentence for Ctrl-C.
    """
    warnings.formatwarning = lambda message, *_, **__: f"Note: {message}\n"
    warnings.filterwarnings("ignore", module="lightning|torch")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as ending:
        # Lightning turns Ctrl-C into SystemExit.
        if isinstance(ending, SystemExit) and not isinstance(
            ending.__context__, KeyboardInterrupt
        ):
            raise
        print(f"\n{stopped()}", file=sys.stderr)
        raise SystemExit(130) from None
    except (ArithmeticError, OSError, ValueError) as error:
        raise SystemExit(f"Error: {error}") from None


def command() -> str:
    """The command that started the script."""
    return shlex.join(["python", *sys.argv])


def write_json(content: Any, path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def save_figure(figure: "Figure", path: Path) -> None:
    """Writes a picture at 200 dpi, and as vectors (.svg) beside it. The same
    figure gives the same files."""
    from matplotlib import rc_context

    for file in (path, path.with_suffix(".svg")):
        form = file.suffix[1:] or "png"
        metadata = {"Date": None} if form == "svg" else None
        with replacing(file) as temporary, rc_context({"svg.hashsalt": "0"}):
            figure.savefig(temporary, dpi=200, format=form, metadata=metadata)


def positive(
    kind: type, least: float = 1e-6, most: float = 1e9
) -> Callable[[str], float]:
    """Returns an argument type for numbers from `least` to `most`."""

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"must be from {least:g} to {most:g}, got {text}"
            )
        return value

    return number


def weighting(text: str) -> float | str:
    """The argument type of 'mgda' or a fixed weight of recognition."""
    return text if text == "mgda" else positive(float, 0, 1)(text)


def positions_of(
    poses: Tensor, skeleton: Skeleton, all_joints: bool = False
) -> Tensor:
    """The positions in metres [N * V, T, 3] of exponential maps of the same
    shape; with all_joints, those of all joints in a file of the data set."""
    bodies = poses.unflatten(0, (-1, skeleton.num_joints)).transpose(1, 2)
    places = joint_positions(bodies, skeleton, all_joints=all_joints)
    return places.transpose(1, 2).flatten(0, 1)


class FromJoints(Module):
    """A dual network that computes the bones from the joints."""

    def __init__(self, dual: DualSymGNN) -> None:
        super().__init__()
        self.dual = dual

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> DualSymGNNOutput:
        bones = bone_features(x, self.dual.joint.skeleton)
        return self.dual(x, bones, num_bodies)

"""Errors about the contents of users' files, about sizes and about missing
packages, and warnings.
"""

import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral

from torch import Tensor

__all__ = ["DataError", "EmptyRecordingError"]

# Control characters, which a terminal would act on, and surrogates, which UTF-8
# cannot encode.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# What the content of a damaged file may raise where it is used.
DAMAGE = (
    ArithmeticError, AttributeError, LookupError, OSError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
# The most messages of one kind that are shown.
MOST_WARNINGS = 3
# Packages whose lines a warning does not name.
LIBRARIES = (
    "symgnn_pyg", "importlib", "lightning", "torch", "torch_geometric",
    "torchmetrics",
)  # fmt: skip


class DataError(ValueError):
    r"""Raised for a file that cannot be used. The message names the file, the
    line if there is one, what is wrong, and how to fix it. Control characters
    in the message are escaped.

    Args:
        message: The message.
    """

    def __init__(self, message: str) -> None:
        super().__init__(CONTROL.sub(_escape, message))


class EmptyRecordingError(DataError):
    r"""Raised for a valid file in which no skeleton was recorded. Such files
    are skipped and listed in :obj:`SequenceStore.skipped`.
    """


def check_names(names: Iterable[object], what: str) -> None:
    r"""Checks that names are printable text.

    Raises:
        DataError: If a name is not a string, or contains control characters
            or surrogates.
    """
    for name in names:
        if not isinstance(name, str) or CONTROL.search(name):
            raise DataError(
                f"{what} {name!r:.200} must be a string without control "
                f"characters"
            )


def check_listed(**lists: object) -> None:
    r"""Checks the arguments that list names in an order that matters.

    Raises:
        TypeError: If one is a single name, or has no order of its own.
    """
    for name, value in lists.items():
        if isinstance(value, str | set | frozenset | Mapping) or not isinstance(
            value, Iterable
        ):
            raise TypeError(
                f"Expected {name!r} to be a list of names in order, got "
                f"{value!r}"
            )


def check_tensors(**tensors: object) -> None:
    r"""Checks the arguments that are tensors.

    Raises:
        TypeError: If one is not a tensor.
    """
    for name, value in tensors.items():
        if not isinstance(value, Tensor):
            raise TypeError(
                f"Expected {name!r} to be a torch.Tensor, got "
                f"{type(value).__name__}; torch.as_tensor converts arrays and "
                f"lists"
            )


def check_sizes(least: int, **sizes: int) -> None:
    r"""Checks the arguments that are numbers of frames, channels and so on.

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If a size is smaller than :obj:`least`.
    """
    for name, size in sizes.items():
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(f"'{name}' must be an integer, got {size!r}")
        if size < least:
            hint = ""
            if name == "in_channels" and size == -1:
                hint = (
                    "; it is not inferred from the first batch: pass the "
                    "number of features"
                )
            raise ValueError(
                f"'{name}' must be at least {least}, got {size}{hint}"
            )


def check_choices(choices: Sequence[str], **arguments: str) -> None:
    r"""Checks the arguments that choose one of several names.

    Raises:
        ValueError: If one is not among the :obj:`choices`.
    """
    for name, value in arguments.items():
        if value not in choices:
            raise ValueError(
                f"'{name}' must be one of {tuple(choices)}, got {value!r}"
            )


def check_fractions(**fractions: float) -> None:
    r"""Checks the arguments that are probabilities, weights and so on.

    Raises:
        ValueError: If one does not lie between 0 and 1.
    """
    for name, fraction in fractions.items():
        if not 0 <= fraction <= 1:
            raise ValueError(
                f"'{name}' must lie between 0 and 1, got {fraction}"
            )


def _escape(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\n" else repr(found[0])[1:-1]


@contextmanager
def data_error(text: str) -> Iterator[None]:
    r"""Turns what damaged contents raise in the block into a
    :class:`DataError` that begins with :obj:`text`.
    """
    try:
        yield
    except DAMAGE as error:
        raise DataError(f"{text}: {error}") from error


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    r"""Warns, naming the line of the user's code that led here."""
    frame = sys._getframe(1)
    while frame.f_back and (
        str(frame.f_globals.get("__name__")).split(".")[0] in LIBRARIES
    ):
        frame = frame.f_back
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        # Without a module, Python would drop it.
        str(frame.f_globals.get("__name__")),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def warn_of_some(messages: Iterable[str], name: str) -> None:
    r"""Warns of the first of many different messages about a data set."""
    messages = [*dict.fromkeys(messages)]
    for message in messages[:MOST_WARNINGS]:
        warn(message)
    if len(messages) > MOST_WARNINGS:
        more = len(messages) - MOST_WARNINGS
        warn(f"{name}: notes like these that are not shown: {more}")


@contextmanager
def requires_extra(extra: str) -> Iterator[None]:
    r"""Names the extra to install if an import in the block fails.

    Raises:
        ModuleNotFoundError: If a package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package == "symgnn_pyg":
            raise
        raise ModuleNotFoundError(
            f"This requires {package!r}, which is not installed; run: pip "
            f'install "symgnn_pyg[{extra}]"',
            name=error.name,
        ) from error

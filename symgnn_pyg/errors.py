"""The error that names what is wrong in a user's file."""

import re
from collections.abc import Iterable

__all__ = ["DataError", "EmptyRecordingError"]

# What a terminal obeys instead of showing it, and what UTF-8 cannot hold.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class DataError(ValueError):
    r"""A file that cannot be used: the message names the file, the line where
    there is one, what is wrong, and the way out. Control characters in it are
    escaped.

    Args:
        message: The message.
    """

    def __init__(self, message: str) -> None:
        super().__init__(CONTROL.sub(_escape, message))


class EmptyRecordingError(DataError):
    r"""A file that is in order but shows no skeleton. It is left out and
    listed in :obj:`SequenceStore.skipped`.
    """


def check_names(names: Iterable[object], what: str) -> None:
    r"""Refuses names that a terminal would obey, or that are no text.

    Args:
        names: The names.
        what: What each of them is, for messages.

    Raises:
        DataError: If one is no string, holds control characters, or is no
            Unicode.
    """
    for name in names:
        if not isinstance(name, str) or CONTROL.search(name):
            raise DataError(
                f"{what} {name!r:.200} is no text without control characters"
            )


def _escape(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\n" else repr(found[0])[1:-1]

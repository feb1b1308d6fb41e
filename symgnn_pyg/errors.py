"""The error that names what is wrong in a user's file."""

import re

__all__ = ["DataError"]

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


def _escape(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\n" else repr(found[0])[1:-1]

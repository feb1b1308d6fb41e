from collections.abc import Iterable

from symgnn_pyg.errors import CONTROL, DataError


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

from numbers import Integral


def check_sizes(least: int, **sizes: int) -> None:
    r"""Checks numbers of classes, frames or channels.

    Args:
        least: The smallest possible size.
        **sizes: The sizes by the names of their arguments.

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If a size is too small.
    """
    for name, size in sizes.items():
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(f"'{name}' must be an integer, got {size!r}")
        if size < least:
            raise ValueError(f"'{name}' must be at least {least}, got {size}")

from numbers import Integral


def check_channels(in_channels: int, out_channels: int) -> None:
    r"""Checks the sizes of samples of a layer.

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If a size is less than 1.
    """
    check_sizes(1, in_channels=in_channels, out_channels=out_channels)


def check_sizes(least: int, **sizes: int) -> None:
    r"""Checks numbers of classes, frames or channels.

    Raises:
        TypeError: If a size is not an integer.
        ValueError: If a size is too small.
    """
    for name, size in sizes.items():
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(f"'{name}' must be an integer, got {size!r}")
        if size < least:
            hint = ""
            if name == "in_channels" and size == -1:
                hint = (
                    "; it is not inferred from the first batch: pass x.size(-1)"
                )
            raise ValueError(
                f"'{name}' must be at least {least}, got {size}{hint}"
            )

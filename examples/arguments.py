"""What the command lines of the examples have in common."""

import argparse
from collections.abc import Callable


def positive(
    kind: type, least: float = 1e-6, most: float = 1e9
) -> Callable[[str], float]:
    """A converter that refuses what is no number from least to most."""

    def number(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{text} is not from {least:g} to {most:g}"
            )
        return value

    return number


def weighting(text: str) -> float | str:
    """A converter for 'mgda' or the fixed weight of recognition."""
    return text if text == "mgda" else positive(float, 0, 1)(text)

"""Tables as text."""

from collections.abc import Sequence
from numbers import Real


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    r"""Prints a table whose columns are as wide as their contents. Numbers are
    aligned to the right; those with a fraction are rounded to four digits.
    """
    columns = []
    for c, name in enumerate(head):
        cells = [row[c] for row in rows]
        texts = [f"{x:.4g}" if isinstance(x, float) else str(x) for x in cells]
        is_numeric = all(isinstance(cell, Real) for cell in cells)
        align = str.rjust if is_numeric else str.ljust
        width = max(map(len, [name, *texts]))
        columns.append([align(text, width) for text in (name, *texts)])
    for line in zip(*columns, strict=True):
        print("  ".join(line).rstrip())


def percent(share: float) -> str:
    r"""A share in words that tell a little from nothing."""
    if 0 < share < 0.0005:
        return "less than 0.1%"
    return f"{share:.1%}" if share else "none"

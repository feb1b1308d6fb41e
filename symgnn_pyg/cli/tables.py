"""Tables as text."""

from collections.abc import Sequence


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    r"""Prints a table whose columns are as wide as their contents. Numbers
    stand at the right of their column.

    Args:
        head: The names of the columns.
        rows: The rows. Numbers with a fraction are rounded to four digits.
    """
    cells = [[*head], *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [
        all(isinstance(row[c], int | float) for row in rows)
        for c in range(len(head))
    ]
    for row in cells:
        line = "  ".join(
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(row, widths, right, strict=True)
        )
        print(line.rstrip())


def _text(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)

"""The columns of a table without names."""

import re
from collections.abc import Sequence

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.cells import (
    delimiter_of,
    first_line,
    is_decimal,
    split_cells,
)
from symgnn_pyg.io.header import Header
from symgnn_pyg.io.numbers import is_number


def header_of_numbers(
    content: bytes,
    joints: Sequence[str],
    index_columns: int | None,
    name: str,
) -> Header:
    r"""The header of a table without names: none, or the numbers of columns.

    Raises:
        DataError: If their number does not fit, or the first line may be
            either.
    """
    number, line = first_line(content)
    at = f"{name}, line {number}"
    delimiter = delimiter_of(line)
    cells = split_cells(line, delimiter)
    is_numbered = _are_numbers_of_columns(cells)
    first = max(index_columns or 0, int(is_numbered and cells[0] != "0"))
    kept = list(range(first, len(cells)))
    if not kept or len(kept) % len(joints):
        raise DataError(
            f"{at}: {len(cells)} columns"
            + f", of which {first} are not channels" * (first > 0)
            + f", expected a multiple of the {len(joints)} joints"
            + "; separate them by commas, semicolons or tabs"
            * (len(cells) == 1)
            + f"; to leave out a time or an index at the start, pass "
            f"index_columns={first + 1}"
            * (len(kept) % len(joints) == 1 < len(cells))
        )
    if cells[0] == "0" and is_numbered:
        below = content.split(b"\n", number)[-1]
        row = split_cells(first_line(below)[1], delimiter)
        # pandas writes floats with a decimal point.
        if not all(re.search("[.,]", c) and is_decimal(c) for c in row):
            raise DataError(
                f"{at}: {delimiter.join(cells[:4])} may be a frame "
                f"or the numbers of columns, as pandas writes them; leave "
                f"these out with to_csv(..., header=False, index=False), and "
                f"write a frame as 0.0{delimiter}1.0"
            )
    return Header(cells, kept, delimiter, [], number * is_numbered)


def _are_numbers_of_columns(cells: Sequence[str]) -> bool:
    r"""Whether a line is 0, 1, 2, ..., perhaps after the blank or the name of
    an index."""
    has_index = not is_number(cells[0]) and not cells[0][:1].isdigit()
    numbers = cells[has_index:]
    return numbers == [*map(str, range(len(numbers)))] != []

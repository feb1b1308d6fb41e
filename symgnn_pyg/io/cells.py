"""The cells of a table in text, and what programs write into them."""

import re
from collections.abc import Sequence

from symgnn_pyg.io.numbers import MISSING, is_number


def delimiter_of(line: str) -> str:
    r"""What separates the columns: semicolons, tabs or commas."""
    # A comma beside a semicolon or a tab is that of decimals, unless the tab
    # only follows it.
    return next((m for m in ";\t" if m in line and f",{m}" not in line), ",")


def split_cells(line: str, delimiter: str | None) -> list[str]:
    r"""The cells of a line without blanks and quotation marks around them."""
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def first_line(content: bytes) -> tuple[int, str]:
    r"""The first line that is not blank, and its number."""
    start = len(content) - len(content.lstrip(b"\r\n"))
    line = content[start:].split(b"\n", 1)[0]
    number = content.count(b"\n", 0, start) + 1
    return number, line.decode(errors="replace").lstrip("# ")


def is_decimal(cell: str) -> bool:
    r"""Whether a cell is a number, with a decimal point or a comma."""
    return is_number(cell.replace(",", "."))


def are_names(cells: Sequence[str], first: int = 0) -> bool:
    r"""Whether cells, without the :obj:`first` ones, are names of columns:
    there are letters and no numbers.
    """
    own = cells[first:]
    # pandas may call the column of an index 0.
    numbers = cells[first or len(cells) > 1 :]
    return (
        re.search(r"[^\W\d]", "".join(own)) is not None
        and not any(map(is_decimal, numbers))
        and not all(MISSING.fullmatch(cell) for cell in own)
    )

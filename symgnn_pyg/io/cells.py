"""Numbers in text and the cells of tables."""

import math
import re
from collections.abc import Sequence

from symgnn_pyg.errors import DataError

# What R, spreadsheets and pandas write for a number that is missing.
MISSING = re.compile(r"nan|#?n/?a|<na>|#nv|null|none|--?", re.IGNORECASE)


def is_number(word: str) -> bool:
    r"""Whether a word is a number, finite or not."""
    try:
        float(word)
    except ValueError:
        return False
    # Python takes 1_0 for 10, and digits of any script.
    return word.isascii() and "_" not in word


def read_number(cell: str) -> float:
    r"""The number in a cell: NaN if it is missing, and infinity if there is
    something else.
    """
    if is_number(cell):
        return float(cell)
    cell = cell.strip().strip('"')
    if is_number(cell):
        return float(cell)
    return math.nan if not cell or MISSING.fullmatch(cell) else math.inf


def read_numbers(
    words: Sequence[str], count: int, at: str, allow_missing: bool = False
) -> list[float]:
    r"""Words as :obj:`count` finite numbers, or NaN where they are missing and
    may be. :obj:`at` is the file and the line, for error messages.
    """
    if len(words) != count:
        raise DataError(f"{at}: {len(words)} numbers, expected {count}")
    numbers = [*map(read_number, words)]
    for word, number in zip(words, numbers, strict=True):
        if math.isinf(number) or (math.isnan(number) and not allow_missing):
            raise DataError(f"{at}: {word[:40]!r} is not a finite number")
    return numbers


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

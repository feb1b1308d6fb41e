"""Numbers in text."""

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
    return "_" not in word  # Python takes 1_0 for 10.


def read_number(cell: str) -> float:
    r"""The number in a cell: NaN if it is missing, and infinity if there is
    something else.
    """
    cell = cell.strip().strip('"')
    if not cell or MISSING.fullmatch(cell):
        return math.nan
    return float(cell) if is_number(cell) else math.inf


def read_numbers(
    words: Sequence[str], count: int, at: str, allow_missing: bool = False
) -> list[float]:
    r"""Words as numbers.

    Args:
        words: The words.
        count: The number of them that is expected.
        at: The file and the line, for error messages.
        allow_missing: If set to :obj:`True`, numbers may be missing, which
            makes them NaN. (default: :obj:`False`)

    Raises:
        DataError: If there are more or fewer, or one is not a finite number.
    """
    if len(words) != count:
        raise DataError(f"{at}: {len(words)} numbers, expected {count}")
    numbers = [*map(read_number, words)]
    for word, number in zip(words, numbers, strict=True):
        if math.isinf(number) or (math.isnan(number) and not allow_missing):
            raise DataError(f"{at}: {word[:40]!r} is not a finite number")
    return numbers

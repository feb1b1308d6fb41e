"""Numbers in text."""

import math
from collections.abc import Sequence

from symgnn_pyg.errors import DataError


def is_number(word: str) -> bool:
    r"""Whether a word is a number, finite or not."""
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word  # Python takes 1_0 for 10.


def read_numbers(
    words: Sequence[str], count: int, at: str, allow_missing: bool = False
) -> list[float]:
    r"""Words as numbers.

    Args:
        words: The words.
        count: The number of them that is expected.
        at: The file and the line, for error messages.
        allow_missing: If set to :obj:`True`, words may be blank or
            :obj:`nan`, which are NaN. (default: :obj:`False`)

    Raises:
        DataError: If there are more or fewer, or one is not a finite number.
    """
    if len(words) != count:
        raise DataError(f"{at}: {len(words)} numbers, expected {count}")
    numbers = []
    for word in words:
        blank = allow_missing and not word.strip()
        number = math.nan if blank else math.inf
        if is_number(word):
            number = float(word)
        if not (
            math.isfinite(number) or (allow_missing and math.isnan(number))
        ):
            raise DataError(f"{at}: {word[:40]!r} is not a finite number")
        numbers.append(number)
    return numbers

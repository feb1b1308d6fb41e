import io
import operator
import re
from collections.abc import Sequence

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import File, read_text
from symgnn_pyg.io.numbers import is_number

# The first words of columns that are not channels. Names without any letter or
# digit are not channels, either: pandas leaves that of an index empty.
INDEX_NAMES = (
    "frame", "frames", "index", "sample", "t", "time", "timestamp", "unnamed",
)  # fmt: skip


def read_csv(
    file: File,
    joints: Sequence[str],
    name: str = "",
    allow_missing: bool = False,
    index_columns: int | None = None,
) -> np.ndarray:
    r"""Reads a recording from values separated by commas, semicolons or tabs.

    Each line is one frame and holds the channels of the first joint, then
    those of the second, and so on. The first line may name the columns:
    :obj:`elbow_x,elbow_y,elbow_z,wrist_x,...` Leading columns that it calls
    frame, index, time or timestamp are left out.

    Args:
        file: The path of the file, or its content.
        joints: The names of the joints.
        name: The name of the file in error messages. (default: its path)
        allow_missing: If set to :obj:`True`, cells may be empty or :obj:`nan`,
            for :func:`fill_gaps`. (default: :obj:`False`)
        index_columns: The number of leading columns that are not channels,
            such as a time, and are left out. (default: those with such names)

    Returns:
        The frames in the unit of the file, of shape :math:`[T, V, C]`.

    Raises:
        DataError: If a line has another number of columns, holds anything but
            finite numbers, names other joints, or is longer than 1 MiB; the
            message names the line.
        ValueError: If :obj:`index_columns` is negative.
    """
    if isinstance(joints, str):
        raise TypeError(
            f"Expected 'joints' to be a list of names, got {joints!r}; pass "
            f"Skeleton.get({joints!r}).joints for a built-in skeleton"
        )
    if index_columns is not None:
        index_columns = operator.index(index_columns)
        if index_columns < 0:
            raise ValueError(
                f"Expected 'index_columns' >= 0, got {index_columns}"
            )
    content, name = read_text(file, name)
    if not content.strip():
        raise DataError(f"{name} is empty")
    head, _, rest = content.partition(b"\n")
    line = head.decode(errors="replace")
    delimiter = _delimiter(line)
    cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
    is_named = any(cells) and not any(map(_is_decimal, cells))
    first = index_columns or 0
    if index_columns is None and is_named:
        while first < len(cells) and _is_index(cells[first], joints):
            first += 1
    channels, remainder = divmod(len(cells) - first, len(joints))
    if remainder or channels < 1:
        raise DataError(
            f"{name}, line 1: {len(cells)} columns"
            + f", of which {first} are not channels" * (first > 0)
            + f", expected a multiple of the {len(joints)} joints"
            + "; separate them by commas, semicolons or tabs"
            * (len(cells) == 1)
            + f"; to leave out a time or an index at the start, pass "
            f"index_columns={first + 1}" * (remainder == 1 < len(cells))
        )
    if is_named:
        _check_header(cells[first:], name, joints, channels, first)
        # A blank line in its place keeps the line numbers of messages right.
        content = b"\n" + rest
    table = read_table(
        content, len(cells), name, allow_missing, delimiter, first
    )
    return table.reshape(len(table), len(joints), channels)


def read_table(
    file: File,
    columns: int,
    name: str = "",
    allow_missing: bool = False,
    delimiter: str = ",",
    index_columns: int = 0,
) -> np.ndarray:
    r"""Reads numbers separated by commas or another character.

    Args:
        file: The path of the file, or its content.
        columns: The number of columns.
        name: The name of the file in error messages. (default: its path)
        allow_missing: If set to :obj:`True`, cells may be empty or
            :obj:`nan`. (default: :obj:`False`)
        delimiter: What separates the columns. (default: :obj:`","`)
        index_columns: The number of leading columns to leave out, which may
            hold anything. (default: :obj:`0`)

    Returns:
        The numbers, of shape :math:`[\textrm{rows}, \textrm{columns}]`,
        without those columns.

    Raises:
        DataError: If a line has another number of columns or holds anything
            but finite numbers; the message names the line.
    """
    content, name = read_text(file, name)
    if not content.strip():
        raise DataError(f"{name} is empty")
    if allow_missing:
        content = _name_empty_cells(content, delimiter)
    try:
        table = np.loadtxt(
            io.BytesIO(content),
            delimiter=delimiter,
            ndmin=2,
            comments=None,
            converters=dict.fromkeys(range(index_columns), _ignore) or None,
        )
        refused = np.isinf(table) if allow_missing else ~np.isfinite(table)
        if table.shape[1] == columns and not refused.any():
            return table[:, index_columns:]
    except (ValueError, UnicodeDecodeError):
        pass
    fault = _first_fault(
        content, columns, allow_missing, delimiter, index_columns
    )
    raise DataError(f"{name}, {fault}")


def _delimiter(line: str) -> str:
    # A comma beside a semicolon or a tab is that of decimals, unless the tab
    # only follows it.
    return next((m for m in ";\t" if m in line and f",{m}" not in line), ",")


def _is_index(column: str, joints: Sequence[str]) -> bool:
    # Marks may come first, as in "# frame".
    word = re.match(r"\W*([a-z]*)", column.lower())
    named = word is not None and word[1] in INDEX_NAMES
    return (named or not re.search(r"\w", column)) and column.rpartition("_")[
        0
    ] not in joints


def _is_decimal(cell: str) -> bool:
    return is_number(cell.replace(",", "."))


def _ignore(cell: str) -> float:
    return 0.0


def _name_empty_cells(content: bytes, delimiter: str) -> bytes:
    mark = re.escape(delimiter.encode())
    blank = rb" *" if delimiter == "\t" else rb"[ \t]*"
    empty = rb"(?<=%b)%b(?=[%b\r\n]|\Z)|^%b(?=%b)"
    pattern = empty % (mark, blank, mark, blank, mark)
    return re.sub(pattern, b"nan", content, flags=re.MULTILINE)


def _first_fault(
    content: bytes,
    columns: int,
    allow_missing: bool,
    delimiter: str,
    index_columns: int,
) -> str:
    for number, read in enumerate(io.BytesIO(content), start=1):
        line = read.decode("utf-8", errors="replace")
        if not line.strip():
            continue
        cells = line.strip("\r\n").split(delimiter)
        if len(cells) != columns:
            return f"line {number}: {len(cells)} columns, expected {columns}"
        for column, cell in enumerate(cells[index_columns:], index_columns + 1):
            value = float(cell) if is_number(cell) else np.inf
            missing = allow_missing and np.isnan(value)
            if not (missing or np.isfinite(value)):
                return (
                    f"line {number}, column {column}: {cell.strip()!r} is not "
                    f"a finite number"
                    + "; write decimals with a point"
                    * ("," in cell and _is_decimal(cell))
                )
    return "cannot be parsed as a table of numbers"


def _check_header(
    cells: Sequence[str],
    name: str,
    joints: Sequence[str],
    channels: int,
    first: int,
) -> None:
    endings = [cell.rpartition("_")[2] for cell in cells[:channels]]
    expected = (f"{joint}_{end}" for joint in joints for end in endings)
    for column, (cell, wanted) in enumerate(
        zip(cells, expected, strict=True), start=first + 1
    ):
        if cell != wanted:
            raise DataError(
                f"{name}, line 1, column {column}: expected {wanted!r}, got "
                f"{cell!r}; columns go joint by joint in the order of the "
                f"skeleton"
            )

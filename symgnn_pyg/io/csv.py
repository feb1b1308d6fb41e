import io
import math
import operator
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

import numpy as np

from symgnn_pyg.errors import DataError, check_listed
from symgnn_pyg.io.cells import (
    first_line,
    is_decimal,
    read_number,
    split_cells,
)
from symgnn_pyg.io.header import find_header
from symgnn_pyg.io.limits import File, read_text
from symgnn_pyg.io.times import find_time_column, make_even, read_time


def read_csv(
    file: File,
    joints: Sequence[str],
    name: str = "",
    allow_missing: bool = False,
    index_columns: int | None = None,
    frame_rate: float | None = None,
    kind: str = "position",
) -> np.ndarray:
    r"""Reads a recording from values separated by commas, semicolons or tabs.
    Between semicolons, decimals may have a comma.

    Each line is one frame. If the first line names the columns, those of each
    joint are found by name, in any order: :obj:`elbow_x` or :obj:`elbow.x`,
    or just :obj:`elbow` if joints have one channel. Case, blanks and
    punctuation do not matter, so that :obj:`LEFT_ELBOW_x` belongs to the joint
    "left elbow", unless two joints differ in nothing else. The channels x, y
    and z come first in the result. The side may come last (:obj:`ElbowLeft_x`),
    and the names of the Kinect v2 (:obj:`SpineBase_x`) belong to the joints of
    the layout :obj:`"ntu25"`. Without names, a line holds all channels of
    the first joint, then those of the second, and so on. A line below the names
    may state the unit of each column, such as :obj:`mm` or :obj:`(m)`: the
    numbers are not converted, with a warning if they are not in metres.
    Rotations beside positions, such as :obj:`elbow_qw` or :obj:`elbow.rx`, are
    left out with a warning if :obj:`kind` is :obj:`"position"`.

    Frames are evenly spaced in time. A column called time, timestamp or t (or
    else frame) must confirm it: each time may be off by a quarter of a step,
    as by rounding. Times are numbers, whose unit may follow the name as in
    :obj:`time_ms`, or ISO dates or times of day. Without a unit they are
    frames if they are whole numbers that mostly increase by 1, and otherwise
    in that of s, ms, µs and ns which makes 1 to 1000 frames per second, if any
    does. Ticks of 100 ns since the year 1 or 1601 are told by their size, while
    steps that may be ticks or µs are refused. Timecodes are refused, and a
    column in which nothing is a time is ignored with a warning. Other columns
    of no joint are ignored.

    If columns have no names, pandas writes their numbers into the first line.
    After the blank or the name of an index, as in :obj:`,0,1,2`, these are left
    out together with the index, and so is :obj:`0,1,2` where all numbers of the
    next line have a decimal point. Otherwise it could also be a frame and is
    refused. Other numbers, such as those of a selection of columns, cannot be
    told from a frame and are read as one.

    Args:
        file: The path of the file, or its content.
        joints: The names of the joints.
        name: The name of the file in error messages. (default: its path)
        allow_missing: If set to :obj:`True`, cells may be empty or hold
            :obj:`nan`, :obj:`NA`, :obj:`N/A`, :obj:`null`, :obj:`None` or
            :obj:`-` in any case, for :func:`fill_gaps`, and frames that are
            missing according to their times are added as NaN.
            (default: :obj:`False`)
        index_columns: The number of leading columns that are not channels,
            such as a time, and are left out. (default: none)
        frame_rate: The frames per second to resample uneven times to, by
            linear interpolation. (default: they are refused)
        kind: What the channels hold, see :func:`resample_frames`.
            (default: :obj:`"position"`)

    Returns:
        The frames in the unit of the file, of shape :math:`[T, V, C]`.

    Raises:
        DataError: If a line has another number of columns, holds anything but
            finite numbers, lacks a joint, states several units or is longer
            than 1 MiB, or if the first one may number the columns, or times
            are uneven; the message names the line.
        ValueError: If :obj:`index_columns` is negative.
    """
    return read_timed_csv(
        file, joints, name, allow_missing, index_columns, frame_rate, kind
    )[0]


def read_timed_csv(
    file: File,
    joints: Sequence[str],
    name: str = "",
    allow_missing: bool = False,
    index_columns: int | None = None,
    frame_rate: float | None = None,
    kind: str = "position",
) -> tuple[np.ndarray, float | None, str | None]:
    r"""What :func:`read_csv` returns, the frames per second if a column of
    times or a line above the names tells, and the unit if a line states it.
    """
    if isinstance(joints, str):
        raise TypeError(
            f"Expected 'joints' to be a list of names, got {joints!r}; pass "
            f"Skeleton.get({joints!r}).joints for a built-in skeleton"
        )
    check_listed(joints=joints)
    if index_columns is not None:
        index_columns = operator.index(index_columns)
        if index_columns < 0:
            raise ValueError(
                f"Expected 'index_columns' >= 0, got {index_columns}"
            )
    content, name = read_text(file, name)
    if not content.strip():
        raise DataError(f"{name} is empty")
    if b"\n" not in content:  # Excel for Mac may write only returns.
        content = content.replace(b"\r", b"\n")
    # Excel may state the delimiter in a line of its own.
    content = re.sub(rb"\A(\s*)sep=.(?=\r?\n)", rb"\1", content)
    cells, kept, delimiter, units, length, rate, unit = find_header(
        content, joints, index_columns, name, kind
    )
    timed = None
    if length:
        # Blank lines in their place keep the line numbers of messages right.
        content = b"\n" * length + content.split(b"\n", length)[-1]
        number, line = first_line(content)
        row, at = split_cells(line, delimiter), f"{name}, line {number}"
        others = {*range(index_columns or 0), *kept}
        timed = find_time_column(cells, units, row, others, at)
    table = _read(
        content,
        name,
        len(cells),
        delimiter,
        kept,
        {timed.place: read_time} if timed else {},
        allow_missing,
        "; pass fill_gaps=True to interpolate missing numbers",
    )
    frames = table[:, kept].reshape(len(table), len(joints), -1)
    if timed is None:
        return frames, rate, unit
    frames, own = make_even(
        frames,
        table[:, timed.place],
        timed,
        partial(_place, content, name),
        allow_missing,
        frame_rate,
        kind,
    )
    return frames, own or rate, unit


def read_table(
    file: File, columns: int, name: str = "", delimiter: str | None = ","
) -> np.ndarray:
    r"""Reads numbers separated by commas or another character.

    Args:
        file: The path of the file, or its content.
        columns: The number of columns.
        name: The name of the file in error messages. (default: its path)
        delimiter: What separates the columns, or :obj:`None` for blanks.
            (default: :obj:`","`)

    Returns:
        The numbers, of shape :math:`[\textrm{rows}, \textrm{columns}]`.

    Raises:
        DataError: If a line has another number of columns or holds anything
            but finite numbers; the message names the line.
    """
    content, name = read_text(file, name)
    return _read(content, name, columns, delimiter, range(columns), {})


def _read(
    content: bytes,
    name: str,
    columns: int,
    delimiter: str | None,
    kept: Sequence[int],
    others: dict[int | str, Callable[[str], float]],
    allow_missing: bool = False,
    cure: str = "",
) -> np.ndarray:
    r"""A table whose columns :obj:`kept` are numbers. Functions read some of
    the :obj:`others`, and the rest may hold anything. The :obj:`cure` is that
    of missing numbers.
    """
    if not content.strip():
        raise DataError(f"{name} is empty")
    # Web pages and spreadsheets put no-break spaces into empty cells.
    plain = content.replace("\xa0".encode(), b" ")
    if delimiter == ";":
        plain = plain.replace(b",", b".")
    for column in {*range(columns)}.difference(kept):
        others.setdefault(column, _ignore)
    table = _parse(plain, columns, delimiter, kept, others, allow_missing)
    if table is None and allow_missing:
        # Slower: a function reads each cell.
        others |= dict.fromkeys(kept, read_number)
        table = _parse(plain, columns, delimiter, kept, others, allow_missing)
    fault = None
    if table is None or (plain != content and b"." in content):
        fault = _first_fault(
            content, columns, delimiter, kept, allow_missing, cure
        )
    if table is None or fault:
        fault = fault or "cannot be parsed as a table of numbers"
        raise DataError(f"{name}, {fault}")
    return table


def _parse(
    content: bytes,
    columns: int,
    delimiter: str | None,
    kept: Sequence[int],
    converters: dict[int | str, Callable[[str], float]],
    allow_missing: bool,
) -> np.ndarray | None:
    try:
        table = np.loadtxt(
            io.BytesIO(content),
            delimiter=delimiter,
            ndmin=2,
            comments=None,
            quotechar='"',
            # Columns that are left out may hold anything. Without an encoding,
            # numpy 1 passes bytes to converters.
            encoding="latin1",
            converters=converters or None,
        )
    except (ValueError, UnicodeDecodeError):
        return None
    if table.shape[1] != columns:
        return None
    found = table[:, kept]
    refused = np.isinf(found) if allow_missing else ~np.isfinite(found)
    return None if refused.any() else table


def _place(content: bytes, name: str, row: int) -> str:
    lines = (n for n, line in enumerate(io.BytesIO(content), 1) if line.strip())
    return f"{name}, line {next(islice(lines, row, None))}"


def _ignore(cell: str) -> float:
    return 0.0


def _first_fault(
    content: bytes,
    columns: int,
    delimiter: str | None,
    kept: Sequence[int],
    allow_missing: bool,
    cure: str,
) -> str | None:
    r"""The first fault of a table, with its line."""
    marks: set[str] = set()
    for number, read in enumerate(io.BytesIO(content), start=1):
        line = read.decode("utf-8", errors="replace")
        if not line.strip():
            continue
        cells = split_cells(line.strip("\r\n"), delimiter)
        if len(cells) != columns:
            return (
                f"line {number}: {len(cells)} columns, expected {columns}"
                + "; separate them by blanks"
                * (delimiter is None and "," in line)
            )
        for column in sorted(kept):
            cell = cells[column]
            at = f"line {number}, column {column + 1}: {cell!r}"
            value = read_number(
                cell.replace(",", ".") if delimiter == ";" else cell
            )
            is_missing = math.isnan(value)
            if math.isinf(value) or (is_missing and not allow_missing):
                return (
                    f"{at} is not a finite number"
                    + "; write decimals with a point"
                    * ("," in cell and is_decimal(cell))
                    + cure * is_missing
                )
            marks.update({",", "."} & {*cell})
            if len(marks) > 1:
                return (
                    f"{at} has another decimal mark than the numbers before; "
                    f"write all with a point or all with a comma"
                )
    return None

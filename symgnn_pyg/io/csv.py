import io
import re
from collections.abc import Sequence

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import File, read_text
from symgnn_pyg.io.numbers import is_number

EMPTY_CELL = re.compile(
    rb"(?<=,)[ \t]*(?=[,\r\n]|\Z)|^[ \t]*(?=,)", re.MULTILINE
)


def read_csv(
    file: File,
    joints: Sequence[str],
    name: str = "",
    allow_missing: bool = False,
) -> np.ndarray:
    r"""Reads a recording from comma-separated values.

    Each line is one frame and holds the channels of the first joint, then
    those of the second, and so on. The first line may name the columns:
    :obj:`elbow_x,elbow_y,elbow_z,wrist_x,...`

    Args:
        file: The path of the file, or its content.
        joints: The names of the joints.
        name: The name of the file in error messages. (default: its path)
        allow_missing: If set to :obj:`True`, cells may be empty or :obj:`nan`,
            for :func:`fill_gaps`. (default: :obj:`False`)

    Returns:
        The frames in the unit of the file, of shape :math:`[T, V, C]`.

    Raises:
        DataError: If a line has another number of columns, holds anything but
            finite numbers, names other joints, or is longer than 1 MiB; the
            message names the line.
    """
    if isinstance(joints, str):
        raise TypeError(
            f"Expected 'joints' to be a list of names, got {joints!r}; pass "
            f"Skeleton.get({joints!r}).joints for a built-in skeleton"
        )
    content, name = read_text(file, name)
    if not content.strip():
        raise DataError(f"{name} is empty")
    head, _, rest = content.partition(b"\n")
    cells = [cell.strip() for cell in head.decode(errors="replace").split(",")]
    channels, remainder = divmod(len(cells), len(joints))
    if remainder:
        raise DataError(
            f"{name}, line 1: {len(cells)} columns, expected a multiple of "
            f"the {len(joints)} joints{_cure(head, remainder)}"
        )
    if not any(map(is_number, cells)):
        _check_header(cells, name, joints, channels)
        # A blank line in its place keeps the line numbers of messages right.
        content = b"\n" + rest
    table = read_table(content, len(cells), name, allow_missing)
    return table.reshape(len(table), len(joints), channels)


def read_table(
    file: File, columns: int, name: str = "", allow_missing: bool = False
) -> np.ndarray:
    r"""Reads comma-separated numbers.

    Args:
        file: The path of the file, or its content.
        columns: The number of columns.
        name: The name of the file in error messages. (default: its path)
        allow_missing: If set to :obj:`True`, cells may be empty or
            :obj:`nan`. (default: :obj:`False`)

    Returns:
        The numbers, of shape :math:`[\textrm{rows}, \textrm{columns}]`.

    Raises:
        DataError: If a line has another number of columns or holds anything
            but finite numbers; the message names the line.
    """
    content, name = read_text(file, name)
    if not content.strip():
        raise DataError(f"{name} is empty")
    if allow_missing:
        content = EMPTY_CELL.sub(b"nan", content)
    try:
        table = np.loadtxt(
            io.BytesIO(content), delimiter=",", ndmin=2, comments=None
        )
        refused = np.isinf(table) if allow_missing else ~np.isfinite(table)
        if table.shape[1] == columns and not refused.any():
            return table
    except (ValueError, UnicodeDecodeError):
        pass
    fault = _first_fault(content, columns, allow_missing)
    raise DataError(f"{name}, {fault}")


def _cure(head: bytes, remainder: int) -> str:
    for mark, what in ((b";", "semicolons"), (b"\t", "tabs")):
        if mark in head and b"," not in head:
            return f"; separate columns by commas instead of {what}"
    if remainder == 1:
        return "; if the first column is a time or an index, remove it"
    return ""


def _first_fault(content: bytes, columns: int, allow_missing: bool) -> str:
    for number, read in enumerate(io.BytesIO(content), start=1):
        line = read.decode("utf-8", errors="replace")
        if not line.strip():
            continue
        cells = line.split(",")
        if len(cells) != columns:
            return f"line {number}: {len(cells)} columns, expected {columns}"
        for column, cell in enumerate(cells, start=1):
            value = float(cell) if is_number(cell) else np.inf
            missing = allow_missing and np.isnan(value)
            if not (missing or np.isfinite(value)):
                return (
                    f"line {number}, column {column}: {cell.strip()!r} is not "
                    f"a finite number"
                )
    return "cannot be parsed as a table of numbers"


def _check_header(
    cells: Sequence[str], name: str, joints: Sequence[str], channels: int
) -> None:
    endings = [cell.rpartition("_")[2] for cell in cells[:channels]]
    expected = (f"{joint}_{end}" for joint in joints for end in endings)
    for column, (cell, wanted) in enumerate(
        zip(cells, expected, strict=True), start=1
    ):
        if cell != wanted:
            raise DataError(
                f"{name}, line 1, column {column}: expected {wanted!r}, got "
                f"{cell!r}; columns go joint by joint in the order of the "
                f"skeleton"
            )

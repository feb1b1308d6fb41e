"""The lines of a table above its numbers."""

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from symgnn_pyg.errors import DataError, warn
from symgnn_pyg.io.cells import (
    MISSING,
    are_names,
    delimiter_of,
    first_line,
    is_decimal,
    is_number,
    split_cells,
)
from symgnn_pyg.io.columns import named_columns, plain_name

# The most lines that describe a table, and bytes in them.
MOST_LINES = 25
MOST_BYTES = 2**21
# The symbols of units by their names.
UNITS = {
    word: symbol
    for symbol, words in (
        ("m", "meter meters metre metres"),
        ("cm", "centimeter centimeters centimetre centimetres"),
        ("mm", "millimeter millimeters millimetre millimetres"),
        ("in", "inch inches"),
        ("ft", "foot feet"),
        ("px", "pixel pixels"),
        ("deg", "degree degrees \xb0"),
        ("rad", "radian radians"),
    )
    for word in words.split()
}
SYMBOL = "|".join([r"[munk\xb5\u03bc]?m", "cm|in|ft|px|deg|rad|m?s|hz", *UNITS])
# Such as [mm], (m/s) and deg.
UNIT = re.compile(rf"\[[^\]\d]*\]|\([^)\d]*\)|-|{SYMBOL}", re.IGNORECASE)
# What follows the name of a coordinate, as in hip_x (mm).
UNIT_BESIDE = re.compile(rf"[xyz] *[\[(]({SYMBOL})[\])]$", re.IGNORECASE)
# What stands below the name of a joint.
CHANNEL = re.compile(r"[xyz]|likelihood|score|confidence", re.IGNORECASE)
# The frames per second as Vicon Nexus and Qualisys state them.
RATE = re.compile(
    rb"^(?:Trajectories[,;\t]*\r?\n|FREQUENCY\t)(\d+(?:\.\d+)?)[,;\t\r]*$",
    re.MULTILINE,
)
MOTIVE_UNIT = re.compile(rb"Length Units,(\w+)")


class Header(NamedTuple):
    r"""The header of a table.

    Args:
        cells: The names of the columns.
        kept: The indices of the joints' columns, joint by joint.
        delimiter: What separates the columns.
        units: The units of the columns, empty if no line states them.
        lines: The number of lines down to the last one of the header.
        rate: The frames per second, if a line states them.
        unit: The unit of the joints' columns, if a line states it.
    """

    cells: list[str]
    kept: list[int]
    delimiter: str
    units: list[str]
    lines: int
    rate: float | None = None
    unit: str | None = None


def find_header(
    content: bytes,
    joints: Sequence[str],
    index_columns: int | None,
    name: str,
    kind: str = "position",
) -> Header:
    r"""Finds the line that names the columns of joints, and one with their
    units below it, if any. In exports of motion capture programs, other lines
    come first, or joints and axes are in two lines. If no line looks like
    names, the header is none, or a line with the numbers of columns.
    """
    first = index_columns or 0
    lines = content[:MOST_BYTES].split(b"\n", MOST_LINES)[:MOST_LINES]
    rows: list[list[str]] = []
    faults: list[tuple[int, str]] = []  # With the number of columns.
    markers: list[str] = []
    for number, line in enumerate(lines, 1):
        cells, delimiter = _split(line)
        if cells[0] == "MARKER_NAMES":
            markers = [f"{m}_{axis}" for m in cells[1:] for axis in "xyz"]
            continue
        names, length = _joined(cells, rows, joints), number
        is_data = _are_data(cells, len(joints))
        if is_data:  # Qualisys may leave out the names of columns.
            extra = ["Frame", "Time"][: len(cells) - len(markers)]
            names, length = extra * bool(markers) + markers, number - 1
        if (
            len(names) == len(cells)
            and are_names(names, first)
            and not _are_axes(_first_cells(lines[length:]))
        ):
            try:
                at = f"{name}, line {number}"
                kept = named_columns(names, joints, first, at, kind)
            except DataError as fault:
                cure = _pivot(cells, _first_cells(lines[number:]))
                if len(cells) == 1:
                    cure = "; separate them by commas, semicolons or tabs"
                faults.append((len(cells), f"{fault}{cure}"))
            else:
                stated = RATE.search(b"\n".join(lines[:length]))
                rate = (float(stated[1]) or None) if stated else None
                units, length, unit = _units(
                    lines, length, delimiter, names, kept, name
                )
                usual = "rad" if kind == "rotation" else "m"
                if unit and not same_unit(unit, usual):
                    warn(
                        f"Tables in {unit} are read as they are, not converted"
                    )
                return Header(names, kept, delimiter, units, length, rate, unit)
        if is_data:
            break
        rows.append(cells)
    if faults:
        # The widest line is the likeliest to name the columns.
        text = max(reversed(faults), key=itemgetter(0))[1]
        if len(rows) == MOST_LINES and len(faults) > 1:
            text += f"; the names must be in the first {MOST_LINES} lines"
        raise DataError(text)
    return _header_of_numbers(content, joints, index_columns, name)


def same_unit(one: str, other: str) -> bool:
    r"""Whether two names are those of the same unit, such as m and Meters.

    Args:
        one: The name of a unit.
        other: Another one.
    """
    return _symbol(one) == _symbol(other)


def _symbol(unit: str) -> str:
    unit = unit.strip().casefold()
    return UNITS.get(unit, unit)


def _split(line: bytes) -> tuple[list[str], str]:
    r"""The cells of a line, and what separates them."""
    # NumPy writes the names as a comment.
    text = line.decode(errors="replace").lstrip("# ")
    delimiter = delimiter_of(text)
    return split_cells(text, delimiter), delimiter


def _first_cells(lines: Sequence[bytes]) -> list[str]:
    r"""The cells of the first line that is not blank, if any."""
    return _split(next(filter(bytes.strip, lines), b""))[0]


def _are_data(cells: Sequence[str], least: int) -> bool:
    r"""Whether most cells are numbers, some of which may be missing."""
    words = [c for c in cells if not (is_decimal(c) or MISSING.fullmatch(c))]
    return (
        cells[0] != ""  # Identifiers below names begin with a blank.
        and 2 * len(words) < len(cells) >= least
        and (not words or any(map(is_decimal, cells)))
    )


def _are_axes(cells: Sequence[str]) -> bool:
    r"""Whether a line has the axes below names of joints."""
    axes = {cell.casefold() for cell in cells}
    return axes >= {"x", "y"} and not any(map(is_decimal, cells))


def _pivot(cells: Sequence[str], below: Sequence[str]) -> str:
    r"""How to read a table of one joint per line, if it looks like one."""
    axes = [cell for cell in cells if cell.casefold() in ("x", "y", "z")]
    others = [cell for cell in cells if cell not in axes]
    if len({*axes}) != len(axes) or len(axes) < 2 or len(others) < 2:
        return ""
    time, joint = others[:2]
    if all(map(is_decimal, below[cells.index(joint) :][:1])):
        call = (
            f"numpy.save('clip.npy', table.sort_values({[time, joint]})[{axes}]"
            f".to_numpy().reshape(-1, table[{joint!r}].nunique(), {len(axes)}))"
        )
    else:
        call = (
            f"wide = table.pivot(index={time!r}, columns={joint!r}, values="
            f"{axes}); wide.columns = [f'{{joint}}_{{axis}}' for axis, joint "
            f"in wide.columns]; wide.to_csv('clip.csv')"
        )
    return f"; if each line holds one joint, convert it with pandas: {call}"


def _joined(
    cells: list[str], above: Sequence[list[str]], joints: Sequence[str]
) -> list[str]:
    r"""Names of columns from a line of axes and the line above it that names
    most joints, once for all axes of each, but not the name of a rotation.
    """
    if not above or not _are_axes(cells):
        return cells
    wanted = {*map(plain_name, joints)}
    # The name of a body may precede that of a joint.
    rows = [[cell.rpartition(":")[2] for cell in row] for row in above]
    named = max(rows, key=lambda row: len(wanted & {*map(plain_name, row)}))
    turned = {
        i for row in rows for i, cell in enumerate(row) if cell == "Rotation"
    }
    names, joint = [], ""
    for i, axis in enumerate(cells):
        joint = "".join(named[i : i + 1]) or joint
        is_channel = CHANNEL.fullmatch(axis) and i not in turned
        names.append(f"{joint}_{axis}" if is_channel else axis)
    return names


def _units(
    lines: Sequence[bytes],
    number: int,
    delimiter: str,
    names: Sequence[str],
    kept: Sequence[int],
    name: str,
) -> tuple[list[str], int, str | None]:
    r"""The units of the columns, if the line below the names states them, the
    number of lines down to there, and the unit of the joints' columns, which
    Motive states above and others beside the names.
    """
    cells: list[str] = []
    above = MOTIVE_UNIT.findall(b"\n".join(lines[:number]))
    beside = [UNIT_BESIDE.search(names[i]) for i in kept]
    units = [*map(bytes.decode, above)] or [m[1] for m in beside if m]
    for below, line in enumerate(lines[number:], number + 1):
        if not line.strip():
            continue
        row = split_cells(line.decode(errors="replace"), delimiter)
        stated = [row[i] for i in kept if i < len(row)]
        found = [cell.strip("[]()") for cell in stated]
        found = [unit for unit in found if unit not in ("", "-")]
        if found and all(map(UNIT.fullmatch, filter(None, stated))):
            cells = [cell.strip("[]()") for cell in row]
            units, number = found, below
        break
    if len({*map(_symbol, units)}) > 1:
        raise DataError(
            f"{name}, line {number}: the columns of joints are in several "
            f"units, {', '.join(sorted({*units}))}: convert them to one"
        )
    return cells, number, next(iter(units), None)


def _header_of_numbers(
    content: bytes, joints: Sequence[str], index_columns: int | None, name: str
) -> Header:
    r"""The header of a table without names: none, or the numbers of columns."""
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

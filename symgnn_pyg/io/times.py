"""The column of a table that says when each of its frames was recorded."""

import math
import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from symgnn_pyg.errors import DataError, data_error, warn
from symgnn_pyg.io.cells import is_decimal, is_number
from symgnn_pyg.io.frames import resample_frames

UNITS = {
    word: seconds
    for seconds, words in (
        (1.0, "s sec secs second seconds"),
        (1e-3, "ms msec msecs millis millisecond milliseconds"),
        (1e-6, "us \xb5s \u03bcs usec usecs micros microsecond microseconds"),
        (1e-7, "100ns ticks"),  # Of Windows, .NET and the Kinect v2.
        (1e-9, "ns nsec nsecs nanos nanosecond nanoseconds"),
    )
    for word in words.split()
}
TIME = re.compile(
    r"((elapsed |relative |unix )?(date ?time|times?|time ?stamps?|stamp|t)"
    r"( in)?)?"
)
# Of SMPTE: hours, minutes, seconds and frames, after a semicolon if the count
# drops some.
TIMECODE = re.compile(r"\d+:\d\d:\d\d[:;]\d\d")
FRAME = re.compile(r"frames?( (number|num|no|nr|index|idx|id|count))?")
# The part of a step between frames by which a time may be off.
TOLERANCE = 0.25
# The most frames to add to a table beyond as many as it has: times may be huge.
MOST_MISSING = 1000


class TimeColumn(NamedTuple):
    r"""A column of times.

    Args:
        place: Its index.
        name: Its name.
        unit: Its unit in seconds, 0 for the numbers of frames, or
            :obj:`None` if it is unknown.
    """

    place: int
    name: str
    unit: float | None


def find_time_column(
    names: Sequence[str],
    units: Sequence[str],
    row: Sequence[str],
    others: Collection[int],
    at: str,
) -> TimeColumn | None:
    r"""The first column that is called a time, or else a frame, except for
    the :obj:`others`, the indices of columns that hold something else. The
    first :obj:`row` of data, in the place :obj:`at`, shows whether times are
    dates.
    """
    frames = None
    for index, name in enumerate(names):
        plain = name.casefold().replace("100 ns", "100ns")
        words = re.findall(r"100ns|[^\W\d_]+", plain)
        unit = UNITS.get(words[-1]) if words else None
        text = " ".join(words if unit is None else words[:-1])
        if index in others or not words or words in (["s"], ["ticks"]):
            continue
        if TIME.fullmatch(text):
            if row[index:] and TIMECODE.fullmatch(row[index]):
                raise DataError(
                    f"{at}: {name!r} is a timecode, {row[index]}, which counts "
                    f"frames at an unknown rate; rename the column to "
                    f"'timecode' to leave it out"
                )
            if row[index:] and not is_decimal(row[index]):
                unit = 1.0  # A date, read in seconds.
            elif unit is None and units[index:]:
                unit = UNITS.get(units[index].casefold())
            return TimeColumn(index, name, unit)
        if frames is None and FRAME.fullmatch(" ".join(words)):
            frames = TimeColumn(index, name, 0)
    return frames


def read_time(cell: str) -> float:
    r"""A number, or a date or a time of day in seconds; NaN for anything
    else.
    """
    cell = cell.strip()
    if is_number(cell):
        return float(cell)
    if TIMECODE.fullmatch(cell):  # Python would read hundredths of a second.
        return math.nan
    # Without hours, as in 59:59.5, Python would read minutes as hours.
    if re.match(r"\d+:\d+:", cell):
        cell = f"1970-01-01 {cell}"
    try:
        date = datetime.fromisoformat(cell)
    except ValueError:
        return math.nan
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def make_even(
    frames: np.ndarray,
    times: np.ndarray,
    column: TimeColumn,
    line_of: Callable[[int], str],
    allow_missing: bool,
    frame_rate: float | None,
    kind: str,
) -> tuple[np.ndarray, float | None]:
    r"""Frames at even distances in time, and their rate if the times tell.

    With a :obj:`frame_rate`, uneven times in a known unit are resampled to it.
    Otherwise they are refused, but missing frames are added as NaN if
    :obj:`allow_missing`. :obj:`line_of` names the file and the line of a frame
    in error messages.
    """
    unread = ~np.isfinite(times)
    if len(times) < 2 or (times == times[0]).all():
        return frames, None
    if unread.all():
        warn(
            f"The column {column.name!r} is ignored, since it holds neither "
            f"numbers nor ISO dates or times: frames are taken to be evenly "
            f"spaced"
        )
        return frames, None
    if unread.any():
        raise DataError(
            f"{line_of(int(unread.argmax()))}: {column.name!r} is neither a "
            f"number nor an ISO date or time"
        )
    start = times[0]
    times = times - start
    steps = np.diff(times)
    wrong = steps <= 0
    if wrong.any():
        raise DataError(
            f"{line_of(int(wrong.argmax()) + 1)}: {column.name!r} is not "
            f"greater than in the line before; sort the lines, remove repeated "
            f"ones, split the recording where its times start again, or rename "
            f"the column if it does not hold times"
        )
    unit, step = column.unit, float(np.median(steps))
    is_whole = not (times % 1).any()
    if unit is None and not (is_whole and step == 1):
        # The one that makes 1 to 1000 frames per second. Smaller steps, as of
        # days, do not tell the rate.
        units = (0.0, 1.0, 1e-3, 1e-6, 1e-9)
        unit = units[np.digitize(step, [9e-4, 1, 1e3, 1e6])]
        # Dates are some 6e17 ticks after the year 1, 1e17 after 1601, and 2e15
        # µs after 1970; clocks from 0 do not tell ticks from slow µs.
        if 1e17 <= start < 1e18 and step <= 1e7:
            unit = UNITS["ticks"]
        elif start < 1e15 and 5e4 <= step < 1e6:
            raise DataError(
                f"{line_of(0)}: the steps of {column.name!r}, {step:.6g}, are "
                f"{1e6 / step:.4g} frames per second in microseconds or "
                f"{1e7 / step:.4g} in ticks of 100 ns; rename the column to "
                f"'time_us' or 'time_ticks'"
            )
    if not unit and is_whole:
        step = float(math.gcd(*map(int, steps)))
    else:
        # Rounded times of frames in a row may alternate between two steps.
        step = float(steps[steps <= 1.5 * step].mean())
    distance = np.round(steps / step)
    number = np.append(0.0, distance.cumsum())
    added = number[-1] + 1 - len(times)
    if added > len(times) + MOST_MISSING:
        raise DataError(
            f"{line_of(int(distance.argmax()) + 1)}: {added:.0f} frames are "
            f"missing according to {column.name!r}, most of them before this "
            f"line; split the recording there"
        )
    step, first = np.polyfit(number, times, 1)
    rate = float(f"{1 / (step * unit):.5g}") if unit else None
    off = abs(times - first - step * number) / step
    off[1:][distance == 0] = np.inf
    if (distance == 1).all() and off.max() <= TOLERANCE:
        return frames, rate
    if unit and frame_rate:
        with data_error(line_of(0)):
            even = resample_frames(frames, times * unit, frame_rate, kind)
        return even, frame_rate
    cures = [f"pass the 'frame_rate' to resample to, such as {rate}"] * (
        rate is not None
    )
    if off.max() > TOLERANCE:
        raise DataError(
            f"{line_of(int(off.argmax()))}: the steps of {column.name!r} are "
            f"uneven, from {steps.min():.4g} to {steps.max():.4g}; "
            + (*cures, "rename the column if it does not hold times")[0]
        )
    if not allow_missing:
        cures = ["pass fill_gaps=True to interpolate them", *cures]
        raise DataError(
            f"{line_of(int((distance > 1).argmax()) + 1)}: frames are missing "
            f"before this line according to {column.name!r}, {added:.0f} in "
            f"all; {', or '.join(cures)}"
        )
    places = number.astype(int)
    even = np.full((places[-1] + 1, *frames.shape[1:]), np.nan)
    even[places] = frames
    return even, rate

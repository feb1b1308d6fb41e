"""Files damaged at random: each must be read as frames or refused by name.

    python -m benchmarks.fuzz                   # 10000 cases per parser
    python -m benchmarks.fuzz ntu --cases 500   # of one parser
    python -m benchmarks.fuzz ntu --case 123    # one case, with traceback

The parser's name and the number of a case determine its document. Within 10
seconds of processor time, and within 16 MiB plus 64 times the document's size
of memory allocated by Python and NumPy, each case must give finite frames of
shape [T, V, C] or [B, T, V, C], or raise a DataError that names the file.
To add a parser, add a line to PARSERS in fuzz_parsers.py.
"""

import argparse
import signal
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import NamedTuple

import numpy as np

from benchmarks.fuzz_mutations import mutated
from benchmarks.fuzz_parsers import PARSERS, Parser
from benchmarks.report import Table
from symgnn_pyg.errors import DataError

MEMORY, MEMORY_FACTOR = 2**24, 64


def document(parser: Parser, case: int) -> bytes:
    """The document of a case; the first ones are valid."""
    if case < len(parser.seeds):
        return parser.seeds[case]
    return mutated(Random(f"{parser.name} {case}"), parser.seeds, parser.binary)


class FaultError(Exception):
    """A parser did something that it must not do."""


class TooSlowError(BaseException):
    """Not an Exception, so that parsers do not catch it."""


def check(parser: Parser, case: int, folder: Path) -> bool:
    """Whether the document of a case was read (True) or refused (False).

    Raises:
        Exception: If neither happened.
    """
    content = document(parser, case)
    where = str(folder / f"{parser.name}-{case}")
    try:
        with limits(len(content), parser.seconds):
            frames = parser.parse(content, where)
    except DataError as e:
        if where not in str(e):
            raise FaultError(f"the message does not name the file: {e}") from e
        return False
    finally:
        Path(where).unlink(missing_ok=True)
    values = np.asarray(frames)
    if values is not frames or values.dtype.kind != "f":
        got = getattr(frames, "dtype", type(frames).__name__)
        raise FaultError(f"expected a floating-point array, got {got}")
    if values.ndim not in (3, 4) or not values.size:
        raise FaultError(
            f"expected frames, got an array of shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise FaultError("frames are not finite")
    return True


@contextmanager
def limits(size: int, seconds: float) -> Iterator[None]:
    """Limits time and memory, and turns warnings into errors."""

    def too_slow(number: int, frame: FrameType | None) -> None:
        raise TooSlowError(f"took more than {seconds:g} seconds")

    signal.signal(signal.SIGPROF, too_slow)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # This one is for the user: a damaged time is no fault.
            warnings.filterwarnings("ignore", "The column .* is ignored")
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    if peak > MEMORY + MEMORY_FACTOR * size:
        raise FaultError(f"allocated {peak} bytes for a file of {size} bytes")


class Result(NamedTuple):
    """The numbers of cases read and refused, and why others failed."""

    parsed: int
    refused: int
    failures: dict[int, str]


def fuzz(parser: Parser, cases: int) -> Result:
    """Runs the first cases of a parser."""
    outcomes, failures = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for case in range(cases):
            try:
                outcomes.append(check(parser, case, Path(folder)))
            except (Exception, TooSlowError) as e:
                failures[case] = f"{type(e).__name__}: {e}"
    parsed = sum(outcomes)
    return Result(parsed, len(outcomes) - parsed, failures)


def main(
    arguments: Sequence[str] | None = None,
    parsers: Mapping[str, Parser] = PARSERS,
) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="PARSER")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--case", type=int, metavar="NUMBER")
    args = parser.parse_args(arguments)
    unknown = set(args.names) - set(parsers)
    if unknown or (args.case is not None and len(args.names) != 1):
        parser.error(f"expected parsers from {', '.join(parsers)}")
    if args.case is not None:
        show(parsers[args.names[0]], args.case)
        return
    columns = ["parser", "cases", "parsed", "refused", "seconds", "failures"]
    found = Table("Corrupted files", columns)
    lines = []
    for name in args.names or parsers:
        start = time.perf_counter()
        result = fuzz(parsers[name], args.cases)
        seconds = time.perf_counter() - start
        parsed, refused, failures = result
        found.add(name, args.cases, parsed, refused, seconds, len(failures))
        lines += [
            f"python -m benchmarks.fuzz {name} --case {case}: {text}"
            for case, text in failures.items()
        ]
    print("\n".join(["", *lines]))
    sys.exit(1 if lines else 0)


def show(parser: Parser, case: int) -> None:
    """Runs one case and prints its outcome."""
    content = document(parser, case)
    print(f"{len(content)} bytes: {content[:2000]!r}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            read = check(parser, case, Path(folder))
        except (Exception, TooSlowError):
            traceback.print_exc()
            sys.exit(1)
    print("parsed" if read else "refused")


if __name__ == "__main__":
    main()

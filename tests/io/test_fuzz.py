import re
import warnings
from contextlib import suppress

import numpy as np
import pytest

from benchmarks import fuzz
from benchmarks.fuzz import PARSERS, Parser, check, document
from symgnn_pyg.errors import DataError

FRAMES = np.zeros((2, 3, 1))


@pytest.mark.parametrize("name", PARSERS)
def test_spoiled_files_are_read_or_refused(name):
    found = fuzz.fuzz(PARSERS[name], 300)
    assert found.failures == {}
    assert found.parsed + found.refused == 300
    assert found.refused > 100


@pytest.mark.parametrize("name", PARSERS)
def test_sound_files_are_read(name, tmp_path):
    for case in range(len(PARSERS[name].seeds)):
        assert check(PARSERS[name], case, tmp_path)


def test_cases_are_repeatable_and_differ():
    parser = PARSERS["table"]
    documents = [document(parser, case) for case in range(50)]
    assert documents == [document(parser, case) for case in range(50)]
    assert len(set(documents)) > 40


def refuse(content, where):
    raise DataError(f"{where}, line 1: no")


def forget(content, where):
    raise DataError("line 1: no")


def crash(content, where):
    return FRAMES[5]


def spin(content, where):
    while True:
        with suppress(Exception):
            sum(range(1000))


def warn(content, where):
    warnings.warn("strange", stacklevel=2)
    return FRAMES


def hoard(content, where):
    return np.zeros((2**22, 1, 1)) + 1.0


@pytest.mark.parametrize(
    ("parse", "fault"),
    [
        (forget, "FaultError: the message does not name the file: line 1"),
        (crash, "IndexError: "),
        (spin, "TooSlowError: took more than 0.2 seconds"),
        (warn, "UserWarning: strange"),
        (hoard, "FaultError: allocated [0-9]+ bytes for a file of 3"),
        (lambda c, w: None, "FaultError: expected a .* array, got NoneType"),
        (
            lambda c, w: FRAMES.tolist(),
            "FaultError: expected a .* array, got list",
        ),
        (
            lambda c, w: FRAMES.astype(int),
            "FaultError: expected a .* array, got int",
        ),
        (
            lambda c, w: FRAMES[0],
            r"FaultError: expected frames, .*shape \(3, 1\)",
        ),
        (
            lambda c, w: FRAMES[:0],
            r"FaultError: expected frames, .* \(0, 3, 1\)",
        ),
        (lambda c, w: FRAMES + np.nan, "FaultError: frames are not fin"),
    ],
)
def test_faults_are_found(parse, fault):
    parser = Parser("test", [b"1 2"], parse, seconds=0.2)
    found = fuzz.fuzz(parser, 1)
    assert (found.parsed, found.refused, list(found.failures)) == (0, 0, [0])
    assert re.match(fault, found.failures[0])


def test_outcomes_are_counted():
    parser = Parser("test", [b"1 2"], refuse)
    assert fuzz.fuzz(parser, 7) == (0, 7, {})
    assert fuzz.fuzz(parser._replace(parse=lambda c, w: FRAMES), 7) == (
        7,
        0,
        {},
    )


def test_failures_are_printed_and_end_in_an_error(capsys):
    with pytest.raises(SystemExit) as ended:
        fuzz.main(["--cases", "2"], {"bad": Parser("bad", [b"1"], crash)})
    assert ended.value.code == 1
    assert "| bad | 2 | 0 | 0 |" in (printed := capsys.readouterr().out)
    assert "python -m benchmarks.fuzz bad --case 1: IndexError: " in printed


@pytest.mark.parametrize("arguments", [["mp3"], ["--case", "5"]])
def test_bad_arguments(capsys, arguments):
    with pytest.raises(SystemExit):
        fuzz.main(arguments)
    assert "expected parsers from table, " in capsys.readouterr().err

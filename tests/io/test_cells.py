import math

import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.cells import is_number, read_numbers


def test_numbers():
    assert read_numbers(["1", "-2.5e1"], 2, "a.bvh, line 3") == [1.0, -25.0]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["1"], "1 numbers, expected 2"),
        (["1", "x"], "'x' is not a finite number"),
        (["nan", "1"], "'nan' is not a finite number"),
        (["1", "\uff11"], "'\uff11' is not a finite number"),
        (["1", "1e999"], "'1e999' is not a finite number"),
    ],
)
def test_no_numbers(words, fault):
    with pytest.raises(DataError, match=f"^a.bvh, line 3: {fault}"):
        read_numbers(words, 2, "a.bvh, line 3")


def test_missing_numbers():
    words = ["1", "", " ", "nan", "NA", '""', "-", "\xa0"]
    found = read_numbers(words, len(words), "a.csv", allow_missing=True)
    assert found[0] == 1
    assert read_numbers([' "2" '], 1, "a.csv") == [2.0]
    assert all(map(math.isnan, found[1:]))
    with pytest.raises(DataError, match="'inf' is not a finite number"):
        read_numbers(["inf"], 1, "a.csv", allow_missing=True)


def test_words():
    assert all(map(is_number, ("1", " -2.5e1", "nan", "inf")))
    assert not any(map(is_number, ("", "x", "1,5", "0x1")))

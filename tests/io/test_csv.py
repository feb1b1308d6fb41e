import numpy as np
import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.csv import parse_csv

JOINTS = ("hip", "knee")
ROWS = "0,1,2,3,4,5\n6,7,8,9,10,11.5\n"
FRAMES = [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11.5]]]
HEAD = "hip_x,hip_y,hip_z,knee_x,knee_y,knee_z\n"


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        ROWS.strip(),
        HEAD + ROWS,
        "\ufeff" + HEAD.replace(",", ", ") + ROWS,
        (HEAD + ROWS).replace("\n", "\r\n"),
        HEAD.replace("_x", "_1") + ROWS,
    ],
)
def test_forms(text):
    frames = parse_csv(text.encode(), "a.csv", JOINTS)
    np.testing.assert_array_equal(frames, FRAMES)


def test_other_channels():
    frames = parse_csv(b"1,2,3,4\n", "a.csv", JOINTS)
    assert frames.tolist() == [[[1, 2], [3, 4]]]
    frames = parse_csv(b"hip_x,knee_x\n1,2\n", "a.csv", JOINTS)
    assert frames.tolist() == [[[1], [2]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.csv is empty"),
        (HEAD, r"a\.csv is empty"),
        ("1,2,3\n", r"line 1: 3 columns, expected a multiple of the 2 joints"),
        ("1;2;3;4\n", r"line 1: 1 columns, expected a multiple"),
        (HEAD + ROWS + "1,2\n", r"line 4: 2 columns, expected 6"),
        (HEAD + ROWS.replace("8", "nan"), r"line 3, column 3: 'nan' is no"),
        (ROWS.replace("8", "inf"), r"line 2, column 3: 'inf' is no finite"),
        (ROWS.replace("10", "ten"), r"line 2, column 5: 'ten' is no finite"),
        (ROWS.replace("4", "four"), r"line 1, column 5: 'four' is no finite"),
        (HEAD.replace("knee", "foot") + ROWS, r"line 1, column 4: 'foot_x', "
         r"expected 'knee_x'; columns go joint by joint"),
        (ROWS + "0," * 2**19 + "0", r"line 3: more than 1048576 bytes"),
        ("hip_x,knee_x,hip_y,knee_y\n1,2,3,4\n", r"column 2: 'knee_x', "
         r"expected 'hip_x'"),
    ],
)  # fmt: skip
def test_bad_tables(text, message):
    with pytest.raises(DataError, match=message):
        parse_csv(text.encode(), "a.csv", JOINTS)

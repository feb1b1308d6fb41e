import itertools
import tracemalloc

import numpy as np
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_csv, read_table
from symgnn_pyg.io.csv import read_timed_csv

JOINTS = ("hip", "knee")
ROWS = "0.0,1,2,3,4,5\n6,7,8,9,10,11.5\n"
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
        "hip_1,hip_2,hip_3,knee_1,knee_2,knee_3\n" + ROWS,
        (HEAD + ROWS).replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS.replace(",", ",\t"),
        HEAD.replace("hip_x", '"hip_x"') + ROWS,
        '"' + (HEAD + ROWS).replace(",", '","').replace("\n", '"\n"')[:-1],
        "\n\r\n" + HEAD + "\n" + ROWS,
        "time," + HEAD + "0,0,1,2,3,4,5\n1,6,7,8,9,10,11.5",
        HEAD.replace("_", ".") + ROWS,
        (HEAD + ROWS).replace(",", ";").replace(".", ","),
        "sep=;\r\n" + (HEAD + ROWS).replace(",", ";").replace(".", ","),
        "when;"
        + (HEAD + "1.2.2026;" + ROWS.replace("\n", "\n1.3.2026;", 1))
        .replace(",", ";")
        .replace(".5", ",5")
        .replace("0.0", "0"),
        HEAD + "\n[m],[m],[m],(m),m,\n" + ROWS,
        "knee_z,hip_y,knee_x,grip,hip_x,hip_z,knee_y\n5,1,3,open,0,2,4\n"
        "11.5,7,9,,6,8,10\n",
        "Frame #,Time (s)," + HEAD + "1,,0,1,2,3,4,5\n2,,6,7,8,9,10,11.5",
        "\tTimestamp\t"
        + (HEAD + "0\t12:00\t" + ROWS)
        .replace("\n6", "\n1\t12:01\t6")
        .replace(",", "\t"),
    ],
)
def test_forms(text):
    frames = read_csv(text.encode(), JOINTS, "a.csv")
    np.testing.assert_array_equal(frames, FRAMES)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_leading_columns_are_left_out_on_request(mark):
    text = "12:00,0,1,2,3,4,5\n12:01,6,7,8,9,10,11.5".replace(",", mark)
    with pytest.raises(DataError, match=r"7 columns.* pass index_columns=1$"):
        read_csv(text.encode(), JOINTS, "a.csv")
    frames = read_csv(text.encode(), JOINTS, index_columns=1)
    np.testing.assert_array_equal(frames, FRAMES)
    gap = text.replace("10", "").encode()
    with pytest.raises(DataError, match="line 2, column 6: '' is not a fin"):
        read_csv(gap, JOINTS, "a.csv", index_columns=1)
    frames = read_csv(gap, JOINTS, allow_missing=True, index_columns=1)
    assert np.isnan(frames).nonzero() == (1, 1, 1)
    with pytest.raises(ValueError, match="'index_columns' >= 0, got -1"):
        read_csv(gap, JOINTS, index_columns=-1)
    with pytest.raises(DataError, match="of which 1 are not channels"):
        read_csv(b"1,2,3,4", JOINTS, index_columns=np.int64(1))
    with pytest.raises(TypeError, match=r"'float' .* as an integer"):
        read_csv(gap, JOINTS, index_columns=1.5)


@pytest.mark.parametrize("name", ["1_x", "\u5de6_x", "\xe9_t", "# Frame", ""])
def test_columns_of_no_joint_may_hold_anything(name):
    text = f"{name},hip_x,knee_x\n12:00,1,2\n"
    assert read_csv(text.encode(), JOINTS).tolist() == [[[1], [2]]]
    gap = text.replace("2\n", "\n")
    with pytest.raises(DataError, match="line 2, column 3: '' is not a finite"):
        read_csv(gap.encode(), JOINTS)


def test_names_of_joints():
    frames = read_csv(b"t_x,t_y\n1,2\n", ["t"])
    assert frames.tolist() == [[[1, 2]]]
    assert read_csv(b"# t_x,t_y\n1,2\n", ["t"]).tolist() == [[[1, 2]]]
    # Those of the skeleton, in its order; one channel needs no name.
    frames = read_csv(b"wrist_1,toe,wrist\n1,2,3\n", ["wrist", "wrist_1"])
    assert frames.tolist() == [[[3], [1]]]
    head = b"a.b_x,a.b_y,a_x,a_y\n1,2,3,4\n"
    assert read_csv(head, ["a", "a.b"]).tolist() == [[[3, 4], [1, 2]]]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("index", ["", '""', "frame", "Time (s)"])
def test_numbers_of_columns_are_not_a_frame(mark, index):
    text = f"{index},0,1,2,3,4,5\n0," + ROWS.replace("\n6", "\n1,6")
    text = text.replace(",", mark)
    for index_columns in (None, 1):
        frames = read_csv(
            text.encode(), JOINTS, "a.csv", index_columns=index_columns
        )
        np.testing.assert_array_equal(frames, FRAMES)
    with pytest.raises(DataError, match="line 3, column 5: 'x' is not a fin"):
        read_csv(text.replace("9", "x").encode(), JOINTS, "a.csv")
    with pytest.raises(DataError, match="of which 2 are not channels"):
        read_csv(text.encode(), JOINTS, "a.csv", index_columns=2)


@pytest.mark.parametrize("index_columns", [None, 1])
def test_numbers_of_columns_above_numbers_with_points(index_columns):
    text = "0,1,2,3\n\n0.0,1.5,-2.0e-5,3.5\n0.1,5,6,7\n"
    found = read_csv(text.encode(), ["tip"], index_columns=index_columns)
    first = index_columns or 0
    assert found.shape == (2, 1, 4 - first)
    np.testing.assert_array_equal(found[0, 0], [0, 1.5, -2e-5, 3.5][first:])


@pytest.mark.parametrize("joints", [["tip"], ["tip", "wrist"]])
def test_an_index_called_0(joints):
    names = ",".join(f"{joint}_{axis}" for joint in joints for axis in "xy")
    text = f"0,{names}\n7{',1,2' * len(joints)}\n"
    assert read_csv(text.encode(), joints).tolist() == [[[1, 2]] * len(joints)]


def test_numbers_of_columns_that_could_be_a_frame():
    head = "0,1,2,3,4,5\n"
    with pytest.raises(DataError, match=r"line 1: 0,1,2,3 may be a frame or "):
        read_csv((head + ROWS).encode(), JOINTS, "a.csv")
    with pytest.raises(DataError, match=r"may be a frame .* as 0\.0;1\.0$"):
        read_csv(b"0;1;2\n0.5;1;2\n", JOINTS, "a.csv", index_columns=1)


@pytest.mark.parametrize(
    "form",
    ["{}_{}", "{} {}", "{}-{}", "{}:{}", "{}/{}", "{} ({})", "{}_{} (m)"],
)
@pytest.mark.parametrize("hand", ["left hand", "left_hand", "Left.HAND"])
def test_spelling_of_joints(form, hand):
    names = [form.format(j, c) for j in (hand, "TOE") for c in "xy"]
    text = ",".join(["time", "left_x", *names]) + "\n8,9,1,2,3,4\n"
    frames = read_csv(text.encode(), ["left hand", "toe"])
    assert frames.tolist() == [[[1, 2], [3, 4]]]


def test_names_of_the_kinect():
    r"""The JointType names of the Kinect for Windows SDK 2.0, in its order,
    which is that of NTU-RGB+D.
    """
    names = [
        "SpineBase", "SpineMid", "Neck", "Head",
        "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft",
        "ShoulderRight", "ElbowRight", "WristRight", "HandRight",
        "HipLeft", "KneeLeft", "AnkleLeft", "FootLeft",
        "HipRight", "KneeRight", "AnkleRight", "FootRight",
        "SpineShoulder", "HandTipLeft", "ThumbLeft", "HandTipRight",
        "ThumbRight",
    ]  # fmt: skip
    columns = [f"{name}_{axis}" for name in names for axis in "xyz"]
    order = np.random.default_rng(0).permutation(len(columns))
    head = ",".join(columns[i] for i in order)
    text = f"{head}\n{','.join(map(str, order))}\n"
    frames = read_csv(text.encode(), Skeleton.get("ntu25").joints)
    assert frames.ravel().tolist() == [*range(len(columns))]


@pytest.mark.parametrize("columns", ["a_left_x,a_right_x", "aLeft_x,RightA_x"])
def test_the_side_may_come_last(columns):
    text = f"{columns}\n1,2\n".encode()
    assert read_csv(text, ["right a", "left a"]).tolist() == [[[2], [1]]]
    with pytest.raises(DataError, match="two columns are called 'left_a_x'"):
        read_csv(b"a_left_x,left_a_x\n1,2\n", ["right a", "left a"])


def test_joints_that_are_no_kinect_keep_their_names():
    text = b"spine_x,spine_shoulder_x\n1,2\n"
    assert read_csv(text, ["spine"]).tolist() == [[[1]]]
    assert read_csv(text, ["spine shoulder", "spine"]).tolist() == [[[2], [1]]]


def test_long_headers_are_not_printed_in_full():
    head = ",".join(f"c{i}_x" for i in range(75))
    with pytest.raises(DataError, match=r"got c0_x, .*, c9_x and 65 more$"):
        read_csv(f"{head}\n".encode(), ["hip"])


def test_joints_that_differ_in_their_spelling_only():
    head = b"a_x,A_x\n1,2\n"
    assert read_csv(head, ["A", "a"]).tolist() == [[[2], [1]]]
    with pytest.raises(DataError, match="expected the columns A_x of joint"):
        read_csv(b"a_x\n1\n", ["A", "a"])


@pytest.mark.parametrize(
    "channels",
    ["x y z", "X Y Z", "x(m) y(m) z(m)", "x z score", "0 1 2", "9 10 11"],
)
def test_channels_have_the_same_order_in_all_files(channels):
    channels = channels.split()
    for order in itertools.permutations(range(3)):
        names = [f"{joint}_{channels[i]}" for joint in "ab" for i in order]
        row = [str(3 * joint + i) for joint in range(2) for i in order]
        text = ",".join(names) + "\n" + ",".join(row)
        frames = read_csv(text.encode(), ["a", "b"])
        assert frames.tolist() == [[[0, 1, 2], [3, 4, 5]]]


@pytest.mark.parametrize("mark", [",", "\t"])
def test_a_first_frame_without_a_body(mark):
    text = ",,,,,\n".replace(",", mark) + ROWS.replace(",", mark)
    frames = read_csv(text.encode(), JOINTS, allow_missing=True)
    assert np.isnan(frames[0]).all()
    np.testing.assert_array_equal(frames[1:], FRAMES)


def test_other_channels():
    frames = read_csv(b"1,2,3,4\n", JOINTS)
    assert frames.tolist() == [[[1, 2], [3, 4]]]
    frames = read_csv(b"hip_x,knee_x\n1,2\n", JOINTS)
    assert frames.tolist() == [[[1], [2]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.csv is empty"),
        (HEAD, r"a\.csv is empty"),
        ("1,2,3\n", r"line 1: 3 columns, expected a multiple of the 2 joints"),
        ("1 2 3 4\n", r"line 1: 1 columns, .* by commas, semicolons or tabs"),
        ("1,5;2.5\n", r"line 1, column 2: '2.5' has another decimal mark"),
        ("3;1\n1.234,5;2", r"line 2, column 1: '1.234,5' is not a finite"),
        (HEAD + ROWS.replace("8", "NA"), r"line 3, column 3: 'NA' is not a "
         r"finite number; pass fill_gaps=True to interpolate missing numbers"),
        ("hip_x,knee_x\nmm,m\n1,2\n", r"line 2: the columns of joints are in "
         r"several units, m, mm: convert them to one"),
        ("hip_x,knee_x\nmm,thick\n1,2\n", r"line 2, column 1: 'mm' is not a"),
        ("1\t2\n1,5\t2\n", r"line 2, column 1: '1,5' .*; write decimals"),
        ("0,1,2\n", r"3 columns, .*pass index_columns=1"),
        ("time,hip_x,knee_x,knee_y\n", r"line 1: expected the columns knee_x "
         r"of joint 'knee', as of the others, got knee_x, knee_y; the columns "
         r"are time, hip_x, knee_x, knee_y$"),
        ("time,hip_x,foot_x\n1,2,3\n", r"line 1: .* knee_x .*, got none"),
        ("time,foot_x\n1,2,3\n", r"line 1: expected names of columns such as "
         r"hip_x, or none for .*, got time, foot_x$"),
        ("hip_x,hip_x,knee_x\n1,2,3\n", r"two columns are called 'hip_x'"),
        (HEAD + ROWS + "1,2\n", r"line 4: 2 columns, expected 6"),
        ("\n\n" + ROWS + "1,2\n", r"line 5: 2 columns, expected 6"),
        ("\n\nfoot_x,hand_x\n1,2", r"line 3: expected names of columns"),
        (HEAD + '"0","x",2,3,4,5', r"line 2, column 2: 'x' is not a finite"),
        (HEAD + ROWS.replace("8", "nan"), r"line 3, column 3: 'nan' is not"),
        (ROWS.replace("8", "inf"), r"line 2, column 3: 'inf' is not a finite"),
        (ROWS.replace("10", "ten"), r"line 2, column 5: 'ten' is not a finite"),
        (ROWS.replace("4", "four"), r"line 1, column 5: 'four' is not"),
        (HEAD.replace("knee", "foot") + ROWS, r"line 1: expected the columns "
         r"knee_x, knee_y, knee_z of joint 'knee', .*, got none; .*, foot_z$"),
        (HEAD.replace("knee_y", "knee_w") + ROWS, r"got knee_x, knee_w, kn"),
        (ROWS + "0," * 2**19 + "0", r"line 3: more than 1048576 bytes"),
        ("hip_x,knee_x,hip_y,knee_y\n1,2,3,x\n", r"line 2, column 4: 'x' is"),
    ],
)  # fmt: skip
def test_bad_tables(text, message):
    with pytest.raises(DataError, match=message):
        read_csv(text.encode(), JOINTS, "a.csv")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("1,2\n3,4\n", "line 1: 2 columns, expected 3"),
        ("1,2,3\n4,5\n", "line 2: 2 columns, expected 3"),
        ("1,2,3\n4,5,6,7\n", "line 2: 4 columns, expected 3"),
        ("1,2,3\n4,nan,6\n", "line 2, column 2: 'nan' is not a finite"),
        ("1,2,3\n4,5,-inf\n", "line 2, column 3: '-inf'"),
        ("1,2,3\n4,5,1e999\n", "line 2, column 3: '1e999'"),
        ("1,2,3\nx y,5,6\n", "line 2, column 1: 'x y'"),
        ("1,2,3\n,5,6\n", "line 2, column 1: ''"),
        ("1,2,3\n\n4,nan,6\n", "line 3, column 2: 'nan'"),
        ("1 2 3\n", "line 1: 1 columns"),
        (b"1,2,3\n\xff\xfe,5,6\n", "line 2, column 1"),
        (b"\x00\x01\x02", "line 1: 1 columns"),
    ],
)
def test_faults_name_file_and_line(content, fault):
    content = content.encode() if isinstance(content, str) else content
    with pytest.raises(DataError, match=rf"a\.csv.*{fault}"):
        read_table(content, 3, "a.csv")


def test_faults_of_many_lines_take_little_memory():
    content = b"10\n" * 20_000 + b"x\n"
    tracemalloc.start()
    with pytest.raises(DataError, match="line 20001, column 1: 'x'"):
        read_table(content, 1, "a.csv")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(content)


def test_joints_are_names():
    with pytest.raises(TypeError, match=r"Skeleton.get\('cmu26'\).joints"):
        read_csv(b"1,2,3,4,5", "cmu26")
    for joints in (Skeleton.get("cmu26"), {"hip", "knee"}):
        with pytest.raises(TypeError, match="'joints' to be a list of names"):
            read_csv(b"1,2,3,4,5", joints)


def test_a_joint_without_a_letter():
    """Nothing of its name is left without the marks."""
    text = b"time,*_x,*_y\n9,1,2\n"
    assert read_csv(text, ["*"]).tolist() == [[[1, 2]]]


def test_case_of_channels():
    text = b"hip_X,hip_Y,knee_y,knee_x\n1,2,4,3\n"
    assert read_csv(text, JOINTS).tolist() == [[[1, 2], [3, 4]]]
    with pytest.raises(DataError, match="two columns are called 'hip_X'"):
        read_csv(b"hip_x,hip_X\n1,2\n", ["hip"])


@pytest.mark.parametrize(
    "word",
    ["NA", "N/A", "#N/A", "n/a", "null", "NULL", "None", "-", "--", "<NA>"],
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_missing_numbers_of_other_programs(word, mark):
    cells = [[word, "1", word], ["2", word, f' "{word}" '], [word] * 3]
    text = "\r\n".join(mark.join(row) for row in cells)
    frames = read_csv(text.encode(), ["a"], allow_missing=True)
    nan = np.nan
    expected = [[[nan, 1, nan]], [[2, nan, nan]], [[nan, nan, nan]]]
    np.testing.assert_array_equal(frames, expected)
    # Part of a word or a number is none of them.
    for faulty in (f"{word}{word}x", f"{word}1e", "-inf"):
        with pytest.raises(DataError, match=r"line 2, column 1: .* not a fin"):
            read_csv(f"1\n{faulty}".encode(), ["a"], allow_missing=True)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_no_break_spaces(mark):
    content = mark.join(["1", "\xa0", "\xa02\xa0"]).encode()
    frames = read_csv(content, ["a"], allow_missing=True)
    np.testing.assert_array_equal(frames, [[[1, np.nan, 2]]])
    with pytest.raises(DataError, match="line 1, column 2: '' is not a fin"):
        read_csv(content, ["a"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(end):
    content = end.join(["a_x,a_y", "1,2", "3,4", ""])
    assert read_csv(content.encode(), ["a"]).ravel().tolist() == [1, 2, 3, 4]
    with pytest.raises(DataError, match=r"line 3, column 2: 'b' is not"):
        read_csv(content.replace("4", "b").encode(), ["a"])


def test_blanks_do_not_separate_columns():
    with pytest.raises(DataError, match=r"a_x a_y; separate them by commas"):
        read_csv(b"a_x a_y\n1 2\n", ["a"])


def test_quoted_cells_may_be_empty():
    frames = read_csv(b'"a"\n"1"\n""\n"3"', ["a"], allow_missing=True)
    np.testing.assert_array_equal(frames.ravel(), [1, np.nan, 3])


@pytest.mark.parametrize("unit", ["mm", "[mm]", "(mm)"])
def test_numbers_stay_in_the_unit_of_the_file(unit):
    text = HEAD.strip() + f",score\n{unit},{unit}\t, {unit},,-,{unit},-\n"
    text = f"time,{text}".replace(f"\n{unit}", f"\nms,{unit}", 1)
    text += "".join(f"{10 * t},{t},2,3,4,5,6,walk\n" for t in range(4))
    with pytest.warns(
        UserWarning, match="in mm are read as they are, not conv"
    ):
        frames, rate, unit = read_timed_csv(text.encode(), JOINTS)
    assert frames[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert rate == 100  # 10 ms, not 10 s.
    assert unit == "mm"


def test_units_beside_names():
    text = b"hip_x (mm),hip_y [mm]\n1,2\n"
    with pytest.warns(UserWarning, match="Tables in mm are read as they are"):
        assert read_timed_csv(text, ["hip"])[2] == "mm"
    mixed = b"hip_x (mm),hip_y (Millimeters),hip_score (px)\n1,2,3\n"
    with pytest.warns(UserWarning, match="Tables in mm are read as they are"):
        assert read_timed_csv(mixed, ["hip"])[2] == "mm"
    with pytest.raises(DataError, match=r"several units, m, mm: convert them"):
        read_csv(text.replace(b"(mm)", b"(m)"), ["hip"])

import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import read_bvh, read_bvh_header

ROOT = "Xposition Yposition Zposition Zrotation Xrotation Yrotation"
TURNS = "Zrotation Xrotation Yrotation"


def arm(channels=f"3 {TURNS}", root=f"6 {ROOT}"):
    """Shoulder, elbow one to the right, and the hand above the elbow."""
    return f"""HIERARCHY
ROOT shoulder
{{
    OFFSET 7 7 7
    CHANNELS {root}
    JOINT elbow
    {{
        OFFSET 1 0 0
        CHANNELS {channels}
        End Site
        {{
            OFFSET 0 1 0
        }}
    }}
}}
"""


def motion(*rows, time=0.04):
    lines = ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {time}"]
    return "\n".join([*lines, *(" ".join(map(str, row)) for row in rows), ""])


def parse(hierarchy, *rows):
    content = (hierarchy + motion(*rows)).encode()
    return read_bvh(content, "arm.bvh").frames


def test_rest_pose():
    positions = parse(arm(), [0] * 9)
    assert positions.tolist() == [[[0, 0, 0], [1, 0, 0], [1, 1, 0]]]


def test_quarter_turns_by_hand():
    positions = parse(
        arm(), [1, 2, 3, 90, 0, 0, 0, 0, 0], [0, 0, 0, 90, 0, 0, 90, 0, 0]
    )
    expected = [
        [[1, 2, 3], [1, 3, 3], [0, 3, 3]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    ]
    np.testing.assert_allclose(positions, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("channels", "angles", "hand"),
    [
        # Rz Rx y = Rz z = z, and Rx Rz y = -Rx x = -x.
        ("3 Zrotation Xrotation Yrotation", [90, 90, 0], [1, 0, 1]),
        ("3 Xrotation Zrotation Yrotation", [90, 90, 0], [0, 0, 0]),
        # Ry Rx y = Ry z = x, and Rx Ry y = Rx y = z.
        ("3 Zrotation Yrotation Xrotation", [0, 90, 90], [2, 0, 0]),
        ("3 Xrotation Yrotation Zrotation", [90, 90, 0], [1, 0, 1]),
        ("2 Yrotation Xrotation", [90, 90], [2, 0, 0]),
        ("1 Zrotation", [-90], [2, 0, 0]),
        ("0", [], [1, 1, 0]),
    ],
)
def test_rotations_in_the_order_of_the_channels(channels, angles, hand):
    positions = parse(arm(channels), [0] * 6 + angles)
    np.testing.assert_allclose(positions[0, 2], hand, atol=1e-12)


def test_position_channels_take_the_place_of_offsets():
    channels = f"6 {ROOT}"
    positions = parse(
        arm(channels),
        [0] * 6 + [3, 0, 0, 90, 0, 0],
        [0] * 6 + [4, 5, 6, 0, 0, 0],
    )
    expected = [
        [[0, 0, 0], [3, 0, 0], [2, 0, 0]],
        [[0, 0, 0], [4, 5, 6], [4, 6, 6]],
    ]
    np.testing.assert_allclose(positions, expected, atol=1e-12)


def test_offset_where_there_is_no_position_channel():
    positions = parse(arm("1 Yposition", "3 Zrotation Xrotation Yrotation"),
                      [90, 0, 0, 2])  # fmt: skip
    expected = [[[7, 7, 7], [5, 8, 7], [4, 8, 7]]]
    np.testing.assert_allclose(positions, expected, atol=1e-12)


def test_skeleton_and_frame_rate(tmp_path):
    path = tmp_path / "arm.bvh"
    path.write_text(arm() + motion([0] * 9))
    _, skeleton, frame_rate, _ = read_bvh(path)
    assert skeleton.joints == ("shoulder", "elbow", "elbow end")
    assert skeleton.bones == ((1, 0), (2, 1))
    assert skeleton.offsets == ((7, 7, 7), (1, 0, 0), (0, 1, 0))
    assert skeleton.part_names == ("body",)
    assert frame_rate == 25


def test_header():
    content = (arm() + motion([0] * 9)).encode()
    header = read_bvh_header(content)
    assert header.skeleton == read_bvh(content).skeleton
    assert (header.num_frames, header.frame_rate) == (1, 25)
    assert [joint.channels for joint in header.joints] == [
        ("tx", "ty", "tz", "rz", "rx", "ry"), ("rz", "rx", "ry"), (),
    ]  # fmt: skip


def test_forms_that_programs_write():
    text = arm() + motion([0] * 9, [1] * 9)
    expected = parse(arm(), [0] * 9, [1] * 9)
    forms = [
        text.replace("\n", "\r\n"),
        "\ufeff" + text,
        text.replace("    ", "\t") + "\n\n",
        text.replace("shoulder\n{", "shoulder {"),
        text.replace("Frames: 2", "Frames:\t2").replace("Time:", "Time:  "),
        text.replace("elbow", "mixamorig:Left Elbow"),
        text.replace("0 0 0", "0   0\t 0"),
        text.replace("Zrotation", "ZROTATION").replace("JOINT", "Joint"),
    ]
    for form in forms:
        frames = read_bvh(form.encode()).frames
        np.testing.assert_array_equal(frames, expected)
    named = read_bvh(forms[5].encode()).skeleton.joints
    assert named[1:] == ("mixamorig:Left Elbow", "mixamorig:Left Elbow end")


def test_two_ends_of_one_joint():
    end = "End Site\n{\nOFFSET 0 1 0\n}\n"
    text = arm().replace("End Site", f"{end}End Site") + motion([0] * 9)
    joints = read_bvh(text.encode()).skeleton.joints
    assert joints[2:] == ("elbow end", "elbow end 2")


def changed(old, new):
    text = arm() + motion([0] * 9)
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.bvh ends before 'Frame Time:'"),
        (arm(), r"a\.bvh ends before 'Frame Time:'"),
        ("1,2,3\n", r"line 1: unexpected '1,2,3'"),
        (motion([0]), r"line 2: unexpected 'Frames: 1'"),
        ("ROOT hip\n" + motion([0]), r"line 3: unexpected 'Frames: 1'"),
        (changed("JOINT elbow", "JOINT"), r"line 6: unexpected 'JOINT'"),
        (changed("1 0 0", "1 0"), r"line 8: 2 numbers, expected 3"),
        (changed("1 0 0", "1 0 nan"), r"line 8: 'nan' is not a finite number"),
        (changed("1 0 0", "1 0 \uff11"), "line 8: '\uff11' is not a finite"),
        (changed("1 0 0", "1 0 0x1"), r"line 8: '0x1' is not a finite number"),
        (changed("OFFSET 1 0 0", ""), r"line 14: 'elbow' has no OFFSET"),
        (changed("CHANNELS 3", "CHANNELS 4"), r"line 9: 4 .*, 3 named"),
        (changed("Yrotation", "Wrotation"), r"line 5: .*'Wrotation'"),
        (changed("    JOINT", "CHANNELS 0\nJOINT"), r"line 6: a second CHANN"),
        (changed("JOINT elbow\n    {", "JOINT elbow"), r"line 7: unexpected"),
        (changed("}\nMOTION", "MOTION"), r"line 16: unexpected 'Frames: 1'"),
        (changed("}\nMOTION", "}\n}\nMOTION"), r"line 16: unexpected '}'"),
        (changed("MOTION", "ROOT two"), r"line 16: a second ROOT"),
        (changed("elbow", "shoulder"), r"a\.bvh: .*'shoulder' is given twice"),
        (changed("Frames: 1", "Frames: 1.5"), r"line 17: .* got 1\.5"),
        (changed("Frames: 1", f"Frames: {10**12}"), r"1000000000000 frames of "
         r"3 joints do not fit in its 344 bytes"),
        (changed("0.04", "0"), r"line 18: .* larger than 0 and .*, got 0"),
        (changed("0.04", "-0.04"), r"line 18: .* larger than 0 and .* -0\.04"),
        (changed("0.04", "40"), r"in seconds, .* and below 5, got 40"),
        (changed("Frames: 1", "Frames: 3"), r"announces 3 frames, but has 1"),
        (changed("0.04\n", "0.04\n" + 9 * " 1" + "\n"), r"has 2 rows; corr"),
        (changed("0 0 0 0 0 0 0 0 0", ""), r"announces 1 frames, but has 0"),
        (changed("0.04\n", "0.04\n1 2\n"), r"line 19: 2 columns, expected 9"),
        (changed("1 0 0", "1e308 0 0").replace("0 1 0", "1e308 0 0"),
         r"a\.bvh: frame 0 holds a number that is not finite"),
        (changed("0.04\n0", "0.04\nx"), r"line 19, column 1: 'x'"),
        (changed("0.04\n0 ", "0.04\n"), r"line 19: 8 columns, expected 9"),
        (changed("0.04\n0", "0.04\ninf"), r"line 19, column 1: 'inf'"),
        (arm("0", "0") + motion([]), r"no joint has CHANNELS"),
        (changed("OFFSET 0 1 0", "OFFSET 0 1 0\nEnd Site\n"),
         r"line 13: unexpected 'End Site'"),
        (changed("OFFSET 0 1 0", "OFFSET 0 1 0\nJOINT tip\n"),
         r"line 13: unexpected 'JOINT tip'"),
        (changed("elbow", "e" * 201), r"line 6: the name .* 201 characters"),
        (changed("MOTION", "x" * 2**20 + "y"), r"line 16: more than 1048576"),
    ],
)  # fmt: skip
def test_bad_files(text, message):
    with pytest.raises(DataError, match=message):
        read_bvh(text.encode(), "a.bvh")


def test_no_frames():
    with pytest.raises(EmptyRecordingError, match=r"a\.bvh has no frames"):
        read_bvh((arm() + motion()).encode(), "a.bvh")


@pytest.mark.parametrize("depth", [499, 501])
def test_deep_chains(depth):
    nested = "JOINT {0}\n{{\nOFFSET 1 0 0\nCHANNELS 1 Zrotation\n"
    text = "".join(nested.format(i) for i in range(depth)) + "}\n" * depth
    text = text.replace("JOINT", "ROOT", 1) + motion([0] * depth)
    if depth > 500:
        with pytest.raises(DataError, match=r"line 2001: more than 500"):
            read_bvh(text.encode(), "a.bvh")
    else:
        assert read_bvh(text.encode()).frames[0, -1, 0] == depth

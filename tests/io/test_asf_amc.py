import numpy as np
import pytest

from symgnn_pyg.errors import DataError, EmptyRecordingError
from symgnn_pyg.io import read_asf, read_asf_amc

ASF = """# a body of two bones
:version 1.10
:name tiny
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   begin
   name of nothing
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name upper
     direction 1 0 0
     length 2
     axis 0 0 0 XYZ
     dof rx ry rz
     limits (-160.0 20.0)
            (-70.0 70.0)
            (-60.0 70.0)
  end
  begin
     id 2
     name lower
     direction 0 1 0
     length 1
     axis 0 0 0 XYZ
     dof rx ry
  end
:hierarchy
  begin
    root upper
    upper lower
  end
"""
NAMES = ("root", "upper", "lower", "lower end")


def frame(number=1, root=(0,) * 6, upper=(0, 0, 0), lower=(0, 0)):
    lines = [str(number)]
    for name, numbers in (("root", root), ("upper", upper), ("lower", lower)):
        lines.append(" ".join(map(str, (name, *numbers))))
    return "\n".join(lines) + "\n"


def amc(*frames, flags=":FULLY-SPECIFIED\n:DEGREES\n"):
    return f"#!OML:ASF\n{flags}{''.join(frames)}"


def parse(*frames, asf=ASF, **arguments):
    content = amc(*frames, **arguments).encode()
    asf = read_asf(asf.encode(), "a.asf")
    return read_asf_amc(asf, content, "a.amc").frames


def test_skeleton():
    skeleton = read_asf(ASF.encode(), "a.asf").skeleton
    assert skeleton.joints == NAMES
    assert skeleton.bones == ((1, 0), (2, 1), (3, 2))
    assert skeleton.offsets == ((0, 0, 0), (0, 0, 0), (2, 0, 0), (0, 1, 0))
    assert skeleton.part_names == ("body",)


def test_joints_go_depth_first():
    """As those of CMU Mocap do, whose files have no more than their order."""
    third = "begin\nname third\ndirection 0 0 1\nlength 3\nend\n:hierarchy"
    asf = ASF.replace(":hierarchy", third)
    asf = asf.replace("root upper", "root upper third")
    skeleton = read_asf(asf.encode(), "a.asf").skeleton
    assert skeleton.joints == (*NAMES, "third", "third end")
    assert skeleton.bones[3:] == ((4, 0), (5, 4))


def test_paths_or_content(tmp_path):
    (tmp_path / "a.asf").write_text(ASF)
    (tmp_path / "a.amc").write_text(amc(frame()))
    frames, skeleton, frame_rate, _ = read_asf_amc(
        tmp_path / "a.asf", tmp_path / "a.amc"
    )
    assert frames.tolist() == parse(frame()).tolist()
    assert skeleton == read_asf(ASF.encode()).skeleton
    assert frame_rate is None


def test_rest_pose():
    expected = [[[1, 2, 3], [1, 2, 3], [3, 2, 3], [3, 3, 3]]]
    assert parse(frame(root=(1, 2, 3, 0, 0, 0))).tolist() == expected


@pytest.mark.parametrize(
    ("root", "upper", "lower", "expected"),
    [
        ((1, 2, 3, 0, 0, 90), (0, 0, 0), (0, 0), [[1, 4, 3], [0, 4, 3]]),
        ((1, 2, 3, 0, 0, 90), (0, 0, 90), (90, 0), [[-1, 2, 3], [-1, 2, 4]]),
        # About axes that stay: Rz Ry Rx, x first.
        ((0, 0, 0, 90, 0, 90), (0, 0, 0), (0, 0), [[0, 2, 0], [0, 2, 1]]),
        ((0,) * 6, (0, 90, 90), (0, 0), [[0, 0, -2], [-1, 0, -2]]),
        ((0,) * 6, (0, 0, 0), (90, 90), [[2, 0, 0], [3, 0, 0]]),
    ],
)
def test_quarter_turns_by_hand(root, upper, lower, expected):
    positions = parse(frame(1, root, upper, lower))
    np.testing.assert_allclose(positions[0, 2:], expected, atol=1e-12)
    np.testing.assert_array_equal(positions[0, 1], root[:3])


def test_order_of_freedoms():
    """First about y, which leaves the bone along y, then about x."""
    asf = ASF.replace("dof rx ry\n", "dof ry rx\n")
    positions = parse(frame(lower=(90, 90)), asf=asf)
    np.testing.assert_allclose(positions[0, 3], [2, 0, 1], atol=1e-12)


def test_order_of_the_root():
    asf = ASF.replace("TX TY TZ RX RY RZ", "RZ TY RX TX")
    positions = parse(frame(root=(90, 5, 90, 4)), asf=asf)
    # First about z, x becomes y, then about x, y becomes z.
    np.testing.assert_allclose(positions[0, 2], [4, 5, 2], atol=1e-12)


@pytest.mark.parametrize(
    ("axis", "turned"),
    [
        ("0 0 90", [0, 0, -2]),  # Rz x = y, about which x becomes -z.
        ("90 0 90", [0, 0, -2]),  # Rz Rx x = y.
        ("0 -90 0", [0, 2, 0]),  # Ry x = z, about which x becomes y.
        ("0 90 90", [0, -2, 0]),  # Rz Ry x = -z.
    ],
)
def test_axes_of_a_bone(axis, turned):
    asf = ASF.replace("axis 0 0 0 XYZ", f"axis {axis} XYZ", 1)
    positions = parse(frame(upper=(90, 0, 0)), asf=asf)
    np.testing.assert_allclose(positions[0, 2], turned, atol=1e-12)


def test_angles_in_radians():
    quarter = np.pi / 2
    expected = parse(frame(upper=(90, 0, 0), lower=(0, 90)))
    turned = frame(upper=(quarter, 0, 0), lower=(0, quarter))
    positions = parse(turned, flags=":FULLY-SPECIFIED\n:RADIANS\n")
    np.testing.assert_allclose(positions, expected, atol=1e-12)
    # Without a flag, angles are as the skeleton has them.
    asf = ASF.replace("angle deg", "angle rad")
    positions = parse(turned, asf=asf, flags=":FULLY-SPECIFIED\n")
    np.testing.assert_allclose(positions, expected, atol=1e-12)
    asf = asf.replace("axis 0 0 0", f"axis 0 0 {quarter}", 1)
    positions = parse(frame(upper=(90, 0, 0)), asf=asf)
    np.testing.assert_allclose(positions[0, 2], [0, 0, -2], atol=1e-12)


def test_a_body_that_turns_keeps_its_shape():
    random = np.random.default_rng(0)
    frames = [
        frame(i, random.normal(0, 90, 6), random.normal(0, 90, 3),
              random.normal(0, 90, 2))
        for i in range(5, 25)
    ]  # fmt: skip
    positions = parse(*frames)
    lengths = np.linalg.norm(np.diff(positions, axis=1), axis=-1)
    np.testing.assert_allclose(lengths, [[0, 2, 1]] * 20, atol=1e-9)


def test_no_frames():
    with pytest.raises(EmptyRecordingError, match=r"a\.amc has no frames"):
        parse()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (ASF, "", r"a\.asf has no :root with an order"),
        ("angle deg", "", r"a\.asf: :units must say 'angle deg'"),
        ("angle deg", "angle grad", r"line 7: .* deg or rad, got 'grad'"),
        ("order TX TY", "order TX TW", r"line 12: expected .*got TX TW"),
        ("dof rx ry\n", "dof rx rx\n", r"line 34: .*got rx rx"),
        ("dof rx ry\n", "dof rx l\n", r"line 34: .*got rx l"),
        ("orientation 0", "orientation 9", r"line 15: .*0 0 0, got 9"),
        ("position 0 0 0", "position 0 0", r"line 14: 2 numbers, expected 3"),
        ("0 0 0 XYZ", "0 0 0 ZYX", r"line 22: expected axes .*XYZ, got ZYX"),
        ("length 2", "length two", r"line 21: 'two' is not a finite number"),
        ("length 2", "length 1e999", r"line 21: .1e999. is not a finite"),
        (
            "1 0 0\n     length 2",
            "1e200 0 0\n     length 1e200",
            r"a\.asf: The offset of joint .* must be finite, got .*inf",
        ),
        ("length 2", "", r"line 17: a bone without name, direction or"),
        ("direction 0 1 0", "", r"line 28: a bone without name, direc"),
        ("name lower", "name upper", r"line 28: a second bone 'upper'"),
        ("    upper lower\n", "", r"a\.asf: the :hierarchy lacks lower"),
        ("upper lower", "upper foot", r"lists 'foot', but"),
        ("upper lower", "upper root", r"lists 'root' twice"),
        ("  begin\n     id 1", "     id 1", r"line 17: expected 'begin'"),
        ("name lower", f"name {'l' * 201}", r"the name .* 201 characters"),
        ("upper lower", "upper" + 2**19 * " l", r"more than 1048576 bytes"),
    ],
)
def test_bad_skeletons(old, new, message):
    assert old in ASF
    with pytest.raises(DataError, match=message):
        read_asf(ASF.replace(old, new, 1).encode(), "a.asf")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("upper 0 0 0", "upper 0 0", r"line 6: 2 numbers, expected 3"),
        ("upper 0 0 0", "upper 0 0 x", r"line 6: 'x' is not a finite number"),
        ("upper 0 0 0", "neck 0 0 0", r"line 6: .*no moving bone 'neck'"),
        ("lower 0 0", "upper 0 0 0", r"line 7: a second 'upper' in frame 1"),
        ("lower 0 0", "", r"line 4: the frame lacks lower"),
        ("1\n", "", r"line 4: 'root' stands before the first frame"),
        ("\n2\n", "\n3\n", r"line 8: frame 3 follows frame 1"),
    ],
)
def test_bad_motion(old, new, message):
    text = amc(frame(1), frame(2))
    assert old in text
    asf = read_asf(ASF.encode(), "a.asf")
    with pytest.raises(DataError, match=rf"a\.amc, {message}"):
        read_asf_amc(asf, text.replace(old, new, 1).encode(), "a.amc")


def test_truncated_motion():
    with pytest.raises(DataError, match=r"line 8: the frame lacks lower"):
        parse(frame(1), frame(2).replace("lower 0 0\n", ""))


def test_bones_that_never_turn_do_not_fill_the_memory():
    bones, names = "", ["root"]
    for i in range(200):
        names.append(f"b{i}")
        bones += f"begin\nname b{i}\ndirection 1 0 0\nlength 1\nend\n"
    asf = (
        ":units\nangle deg\n:root\norder TX\n:bonedata\n"
        f"{bones}:hierarchy\n{' '.join(names)}\n"
    )
    frames = [f"{i}\nroot 0\n" for i in range(1000)]
    with pytest.raises(DataError, match=r"frames of 401 joints do not fit"):
        parse(*frames, asf=asf)

import warnings

import pytest

from symgnn_pyg.errors import DataError
from symgnn_pyg.io import read_csv


def row(cells):
    """A table of one frame, whose numbers are those of the columns."""
    names = cells.split()
    return (
        f"{','.join(names)}\n{','.join(map(str, range(len(names))))}".encode()
    )


@pytest.mark.parametrize(
    ("cells", "left_out", "frame"),
    [
        (
            "time head_x head_y head_z head_qx head_qy head_qz head_qw "
            "LeftHand_x LeftHand_y LeftHand_z",
            "qw, qx, qy, qz",
            [[1, 2, 3], [8, 9, 10]],
        ),
        (
            "head.rx head.ry head.x head.y left_hand.rx left_hand.ry "
            "left_hand.x left_hand.y",
            "rx, ry",
            [[2, 3], [6, 7]],
        ),
        (
            "head.posX head.rotX head.score left_hand.posX left_hand.rotX "
            "left_hand.score",
            "rotx",
            [[0, 2], [3, 5]],
        ),
        (
            "head.Xposition head.Xrotation head_yaw left_hand.Xposition",
            "xrotation, yaw",
            [[0], [3]],
        ),
        (
            "head_x(m) head_roll(deg) left_hand_x(m) left_hand_roll(deg)",
            r"roll\(deg\)",
            [[0], [2]],
        ),
    ],
)
def test_rotations_beside_positions_are_left_out(cells, left_out, frame):
    message = f"positions are left out: the channels {left_out} of joints"
    with pytest.warns(UserWarning, match=message) as noted:
        frames = read_csv(row(cells), ["head", "left hand"])
    assert len(noted) == 1
    assert frames.tolist() == [frame]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("a_rx a_ry a_rz", "position"),
        ("a_x-rot a_y-rot", "position"),
        ("a_qw a_qx a_qy a_qz a_score", "position"),
        ("a_x a_y a_likelihood a_visibility", "position"),
        # Positions must not be taken for the rotations that were asked for.
        ("a_x a_y a_z a_rx a_ry a_rz", "rotation"),
    ],
)
def test_other_channels_stay(cells, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = read_csv(row(cells), ["a"], kind=kind)
    assert sorted(frames.ravel()) == [*range(len(cells.split()))]


def test_a_joint_that_only_turns_is_named():
    with pytest.raises(DataError, match=r"expected the columns b_x, b_y of"):
        read_csv(row("a_x a_y b_rx b_ry"), ["a", "b"])

import math
from itertools import product

import pytest
import roma
import torch

from symgnn_pyg.skeleton import (
    convert_rotation,
    euler_to_rotmat,
    rotmat_to_euler,
)

FORMS = ("exponential_map", "matrix", "quaternion", "euler")


def vectors(angle, number=200, dtype=torch.double):
    """Rotation vectors of one angle."""
    torch.manual_seed(0)
    axis = torch.randn(number, 3, dtype=torch.double)
    return (angle * axis / axis.norm(dim=1, keepdim=True)).to(dtype)


@pytest.mark.parametrize(("source", "target"), [*product(FORMS, FORMS)])
@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 1.0, 3.0, 3.1415])
def test_round_trip(source, target, angle, dtype):
    start = convert_rotation(
        vectors(angle, dtype=dtype), "exponential_map", source
    )
    back = convert_rotation(
        convert_rotation(start, source, target), target, source
    )
    assert back.dtype == dtype
    atol = 5e-6 if dtype == torch.float32 else 1e-12
    if "euler" in (source, target):
        # The arcsine halves the digits where the second angle nears a pole.
        atol = atol**0.5
        start, back = (
            convert_rotation(r, source, "matrix") for r in (start, back)
        )
    torch.testing.assert_close(back, start, rtol=0, atol=atol)


def test_exponential_map_by_hand():
    turn = torch.tensor([0.0, 0.0, math.pi / 2], dtype=torch.double)
    matrix = convert_rotation(turn, "exponential_map", "matrix")
    expected = torch.tensor([[0, -1, 0], [1, 0, 0], [0, 0, 1]]).double()
    torch.testing.assert_close(matrix, expected)  # x becomes y.
    quaternion = convert_rotation(turn, "exponential_map", "quaternion")
    half = math.sqrt(0.5)
    torch.testing.assert_close(
        quaternion, torch.tensor([0, 0, half, half]).double()
    )
    euler = convert_rotation(turn, "exponential_map", "euler")
    torch.testing.assert_close(
        euler, torch.tensor([0, 0, -math.pi / 2]).double()
    )


def test_shortest_exponential_map():
    turn = torch.tensor([0.0, 3 * math.pi / 2, 0.0], dtype=torch.double)
    found = convert_rotation(turn, "exponential_map", "exponential_map")
    torch.testing.assert_close(
        found, torch.tensor([0, -math.pi / 2, 0]).double()
    )


def test_half_turn_keeps_its_axis_up_to_sign(dtype):
    start = vectors(math.pi, dtype=dtype)
    found = convert_rotation(start, "exponential_map", "exponential_map")
    sign = (found * start).sum(dim=1, keepdim=True).sign()
    torch.testing.assert_close(sign * found, start, rtol=0, atol=1e-5)


def test_both_signs_and_any_length_of_a_quaternion(dtype):
    quaternion = roma.random_unitquat(200, dtype=dtype)
    found = convert_rotation(quaternion, "quaternion", "quaternion")
    assert (found[:, 3] >= 0).all()
    torch.testing.assert_close(found.norm(dim=1), torch.ones(200, dtype=dtype))
    torch.testing.assert_close(
        (found * quaternion).sum(dim=1).abs(), torch.ones(200, dtype=dtype)
    )
    for scaled in (-quaternion, 7 * quaternion):
        torch.testing.assert_close(
            convert_rotation(scaled, "quaternion", "quaternion"),
            found,
            rtol=0,
            atol=1e-5,
        )


def test_leading_dimensions():
    rotation = vectors(1.0, 6).view(2, 3, 3)
    for form in FORMS:
        found = convert_rotation(rotation, "exponential_map", form)
        single = convert_rotation(rotation[1, 2], "exponential_map", form)
        torch.testing.assert_close(found[1, 2], single)


def test_euler_angles_are_the_turns_of_the_transpose():
    angles = torch.tensor([0.3, -0.8, 2.0], dtype=torch.double)
    x, y, z = (
        roma.rotvec_to_rotmat(angle * axis)
        for angle, axis in zip(angles, torch.eye(3).double(), strict=True)
    )
    matrix = euler_to_rotmat(angles)
    torch.testing.assert_close(matrix, (z @ y @ x).mT)
    torch.testing.assert_close(rotmat_to_euler(matrix), angles)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_euler_angles_at_the_pole(sign):
    """The protocol gives up the turn about the other axes there, and its code
    takes the first one from the entries of the row, atan2(0, sign)."""
    cos, sin = math.cos(0.4), math.sin(0.4)
    matrix = torch.tensor(
        [[0, 0, sign], [sin, cos, 0], [-sign * cos, sign * sin, 0]],
        dtype=torch.double,
    )
    euler = rotmat_to_euler(matrix)
    expected = [math.atan2(0, sign), -sign * math.pi / 2, 0]
    torch.testing.assert_close(euler, torch.tensor(expected).double())
    assert not torch.allclose(euler_to_rotmat(euler), matrix)


def test_gradient():
    start = vectors(1.0, 3).requires_grad_()
    for form in FORMS:
        assert torch.autograd.gradcheck(
            lambda r, form=form: convert_rotation(r, "exponential_map", form),
            start,
        )


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("exponential_map", (2, 4)),
        ("matrix", (3, 2)),
        ("quaternion", (3,)),
        ("euler", ()),
    ],
)
def test_wrong_shape(form, shape):
    with pytest.raises(ValueError, match=rf"shape \[\*, .*'{form}', got"):
        convert_rotation(torch.zeros(shape), form, "matrix")


def test_unknown_form():
    with pytest.raises(ValueError, match=r"'source' must be.*got 'axis'"):
        convert_rotation(torch.zeros(3), "axis", "matrix")
    with pytest.raises(ValueError, match=r"'target' must be.*got 'xyz'"):
        convert_rotation(torch.zeros(3), "euler", "xyz")

import math

import pytest
import torch

from symgnn_pyg.testing.compare import compare


def check(found, expected, **kwargs):
    compare({"output": found}, {"output": expected}, "It is broken", **kwargs)


def test_message_says_where_and_by_how_much():
    expected = torch.zeros(3, 4)
    expected[2, 1] = 2.0
    found = expected.clone()
    found[0, 3], found[1, 0] = 0.5, -0.25
    message = (
        r"It is broken: the output of shape \[3, 4\] is off by 0\.5 at "
        r"\[0, 3\]: expected 0, got 0\.5; 2 of 12 values are off by more than "
        r"0\.0002"
    )
    with pytest.raises(AssertionError, match=message):
        check(found, expected)


@pytest.mark.parametrize(
    ("dtype", "near", "far"),
    [
        (torch.float64, 1e-10, 1e-8),
        (torch.float32, 1e-5, 1e-3),
        (torch.bfloat16, 1e-2, 1e-1),
    ],
)
def test_tolerances(dtype, near, far):
    expected = torch.tensor([1.0, 0.0], dtype=dtype)
    for scale in (1.0, 1e6):
        check(scale * (expected + near), scale * expected)
        with pytest.raises(AssertionError, match="is off by"):
            check(scale * (expected + far), scale * expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([math.nan], [math.nan]),
        ([math.nan], [1.0]),
        ([1.0], [math.nan]),
        ([math.inf], [1.0]),
        ([math.inf], [-math.inf]),
        ([2.0, math.inf], [1.0, math.inf]),
    ],
)
def test_what_is_no_number(found, expected):
    with pytest.raises(AssertionError, match="is off by"):
        check(torch.tensor(found), torch.tensor(expected))


def test_infinity_is_itself():
    x = torch.tensor([1.0, math.inf])
    check(x, x.clone())


def test_integers_must_be_equal():
    check(torch.tensor([2**53]), torch.tensor([2**53]))
    with pytest.raises(AssertionError, match="is off by 1 at"):
        check(torch.tensor(10**6), torch.tensor(10**6 + 1))


def test_shapes_and_names():
    with pytest.raises(
        AssertionError, match=r"should have shape \[2\], got \[2, 1\]"
    ):
        check(torch.zeros(2, 1), torch.zeros(2))
    with pytest.raises(AssertionError, match=r"\['x'\], got \['y'\]"):
        compare({"y": torch.zeros(2)}, {"x": torch.zeros(2)}, "It is broken")


def test_nothing():
    check(torch.zeros(0, 3), torch.zeros(0, 3))

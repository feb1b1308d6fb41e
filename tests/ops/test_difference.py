import pytest
import torch

from symgnn_pyg import ops


def test_hand_values():
    x = torch.tensor([[1.0], [3.0], [4.0], [10.0]])
    first = torch.tensor([[0.0], [2.0], [1.0], [6.0]])
    second = torch.tensor([[0.0], [2.0], [-1.0], [5.0]])
    torch.testing.assert_close(ops.difference(x), first)
    torch.testing.assert_close(ops.difference(x, 2), second)
    torch.testing.assert_close(ops.difference(x, 0), x)


@pytest.mark.parametrize("order", [2, 3])
def test_order_is_repetition(order):
    x = expected = torch.randn(6, 7, 3)
    for _ in range(order):
        expected = ops.difference(expected, 1)
    torch.testing.assert_close(ops.difference(x, order), expected)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_front_is_zero_and_constants_vanish(order):
    x = torch.randn(6, 7, 3)
    assert ops.difference(x, order)[:, 0].eq(0).all()
    still = x[:, :1].expand(-1, 7, -1)
    assert ops.difference(still, order).eq(0).all()


@pytest.mark.parametrize("order", [0, 1, 2])
def test_linear(order):
    x, y = torch.randn(2, 6, 7, 3, dtype=torch.double)
    torch.testing.assert_close(
        ops.difference(2 * x - 3 * y, order),
        2 * ops.difference(x, order) - 3 * ops.difference(y, order),
    )


def test_inverse_is_a_cumulative_sum():
    x = torch.randn(4, 7, 3, dtype=torch.double)
    restored = x[:, :1] + ops.difference(x).cumsum(dim=1)
    torch.testing.assert_close(restored, x)


@pytest.mark.parametrize("shape", [(7, 3), (4, 1, 3), (0, 7, 3), (2, 4, 7, 3)])
def test_shape_and_input_are_kept(shape):
    x = torch.randn(shape)
    before = x.clone()
    assert ops.difference(x, 2).shape == x.shape
    torch.testing.assert_close(x, before)


def test_negative_order():
    with pytest.raises(ValueError, match="-1"):
        ops.difference(torch.zeros(3, 2), -1)

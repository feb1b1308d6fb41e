import pytest
import torch

from symgnn_pyg import ops


def test_hand_values():
    x = torch.tensor([[1.0], [3.0], [4.0], [10.0]])
    first = torch.tensor([[0.0], [2.0], [1.0], [6.0]])
    second = torch.tensor([[0.0], [2.0], [-1.0], [5.0]])
    for order, expected in enumerate([x, first, second]):
        assert torch.equal(ops.difference(x, order), expected)
    assert torch.equal(ops.difference(x), first)


@pytest.mark.parametrize("shape", [(7, 3), (4, 1, 3), (0, 7, 3), (2, 4, 7, 3)])
def test_shape_and_input_are_kept(shape):
    x = torch.randn(shape)
    before = x.clone()
    assert ops.difference(x, 2).shape == x.shape
    torch.testing.assert_close(x, before)


def test_negative_order():
    with pytest.raises(ValueError, match="-1"):
        ops.difference(torch.zeros(3, 2), -1)

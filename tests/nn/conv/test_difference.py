import pytest
import torch

from symgnn_pyg import ops
from symgnn_pyg.nn import Difference


@pytest.mark.parametrize("order", [0, 1, 2])
def test_layer_is_the_function(order):
    x = torch.randn(10, 6, 3)
    layer = Difference(order)
    torch.testing.assert_close(layer(x), ops.difference(x, order))
    assert f"order={order}" in repr(layer)
    assert Difference().order == 1


def test_negative_order():
    with pytest.raises(ValueError, match="-2"):
        Difference(-2)(torch.zeros(5, 4, 3))

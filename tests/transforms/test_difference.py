import pytest
import torch

from symgnn_pyg import ops
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import Difference


@pytest.fixture
def data(body):
    squares = torch.arange(6.0).square().view(1, 6, 1).repeat(4, 1, 1)
    return SkeletonData(x=squares[:, :4], future=squares[:, 4:], skeleton=body)


@pytest.mark.parametrize(
    ("order", "observed", "future"),
    [
        (0, [0, 1, 4, 9], [16, 25]),
        (1, [0, 1, 3, 5], [7, 9]),
        (2, [0, 1, 2, 2], [2, 2]),
    ],
)
def test_crosses_into_the_future(order, observed, future, data):
    done = Difference(order)(data)
    assert done.x[3, :, 0].tolist() == observed
    assert done.future[3, :, 0].tolist() == future


def test_is_the_operator(sample, dtype):
    data = sample(bodies=2, dtype=dtype)
    done = Difference()(data)
    motion = torch.cat([data.x, data.future], dim=1)
    assert torch.equal(
        torch.cat([done.x, done.future], dim=1), ops.difference(motion)
    )

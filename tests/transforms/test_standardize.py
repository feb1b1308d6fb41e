import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import Standardize

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])


@pytest.fixture
def data():
    torch.manual_seed(0)
    x = 3 + 2 * torch.randn(3, 50, 2)
    x[1, :, 0] = 7.0
    return SkeletonData(x=x, future=x[:, :5] + 1, y=1, skeleton=ARM)


@pytest.fixture
def transform(data):
    return Standardize(data.x.mean(dim=1), data.x.std(dim=1, correction=0))


def test_zero_mean_and_unit_variance(data, transform):
    x = transform(data).x
    torch.testing.assert_close(
        x.mean(dim=1), torch.zeros(3, 2), rtol=0, atol=1e-5
    )
    std = torch.ones(3, 2)
    std[1, 0] = 0.0
    torch.testing.assert_close(x.std(dim=1, correction=0), std)


def test_constant_channels_keep_their_scale(data, transform):
    future = transform(data).future
    torch.testing.assert_close(future[1, :, 0], torch.ones(5))


def test_inverse_of_a_batch(data, transform):
    done = transform(data)
    for name in ("x", "future"):
        batch = torch.cat([done[name], 2 * done[name]])
        back = transform.inverse(batch)
        torch.testing.assert_close(back[:3], data[name])
        mean = transform.mean[:, None]
        torch.testing.assert_close(back[3:] - mean, 2 * (data[name] - mean))


def test_inverse_keeps_the_type(transform, dtype):
    assert transform.inverse(torch.zeros(3, 1, 2, dtype=dtype)).dtype == dtype


def test_leaves_the_input_alone(data, transform):
    before = data.x.clone()
    transform(data)
    assert torch.equal(data.x, before)


def test_attributes(data, transform):
    only = Standardize(transform.mean, transform.std, attrs=("future",))
    assert torch.equal(only(data).x, data.x)
    assert not torch.equal(only(data).future, data.future)
    assert repr(only) == "Standardize(attrs=('future',))"


def test_without_future(transform):
    assert "future" not in transform(SkeletonData(x=torch.zeros(3, 2, 2)))

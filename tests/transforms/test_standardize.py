import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import Standardize

ARM = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)], name="arm")


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


def test_by_hand():
    x = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]])
    mean, std = torch.full((3, 2), 1.0), torch.full((3, 2), 2.0)
    done = Standardize(mean, std)(SkeletonData(x=x, skeleton=ARM))
    assert done.x.tolist() == [[[0.0, 0.5]], [[1.0, 1.5]], [[2.0, 2.5]]]
    assert done.bone_x.tolist() == [[[1.0, 1.0]], [[1.0, 1.0]]]


def test_constant_channels_keep_their_scale(data, transform):
    future = transform(data).future
    torch.testing.assert_close(future[1, :, 0], torch.ones(5))
    std = torch.tensor([[2e-4, 5e-5]]).expand(3, 2)
    scaled = Standardize(torch.zeros(3, 2), std)(data)
    torch.testing.assert_close(scaled.x[..., 0], data.x[..., 0] / 2e-4)
    assert torch.equal(scaled.x[..., 1], data.x[..., 1])


def test_arrays(data, transform):
    arrays = transform.mean.numpy(), transform.std.tolist()
    assert torch.equal(Standardize(*arrays)(data).x, transform(data).x)


def test_inverse_of_a_batch(data, transform):
    done = transform(Batch.from_data_list([data, data]))
    for name in ("x", "future"):
        back = transform.inverse(done[name])
        torch.testing.assert_close(back, data[name].repeat(2, 1, 1))
        twice = transform.inverse(2 * done[name])[:3]
        mean = transform.mean[:, None]
        torch.testing.assert_close(twice - mean, 2 * (data[name] - mean))


def test_inverse_keeps_the_type(transform, dtype):
    assert transform.inverse(torch.zeros(3, 1, 2, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("shape", [(4, 1, 2), (3, 2), (3, 1, 1), (3, 3, 1, 2)])
def test_inverse_of_a_shape_that_does_not_fit(transform, shape):
    with pytest.raises(ValueError, match=r"\[N \* 3, T, 2\], got \[\d"):
        transform.inverse(torch.zeros(shape))


def test_statistics_of_another_motion(data):
    for shape in ((1, 2), (3, 1)):
        transform = Standardize(torch.zeros(shape), torch.ones(shape))
        with pytest.raises(ValueError, match=r"'mean'.* of shape \[3, 2\]"):
            transform(data)


@pytest.mark.parametrize(
    ("mean", "std"), [((2,), (2,)), ((3, 2), (3, 1)), ((3, 2), (2,)), ((), ())]
)
def test_statistics_of_another_shape(mean, std):
    with pytest.raises(ValueError, match=r"shape \[V, C\], got") as caught:
        Standardize(torch.zeros(mean), torch.ones(std))
    assert f"{list(mean)} and {list(std)}" in str(caught.value)


@pytest.mark.parametrize("name", ["mean", "std"])
def test_statistics_that_are_not_finite(name):
    statistics = {"mean": torch.zeros(3, 2), "std": torch.ones(3, 2)}
    statistics[name][1, 1] = torch.nan
    with pytest.raises(ValueError, match=f"'{name}' must be finite"):
        Standardize(**statistics)


def test_repr(transform):
    assert str(transform) == "Standardize(joints=3, channels=2)"

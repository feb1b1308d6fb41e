import pytest
import torch
from torch_geometric.data import Batch

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import ChangeSpeed


def clip(body):
    """Each feature is the time of its frame."""
    x = torch.arange(10.0).view(1, -1, 1).repeat(4, 1, 3)
    return SkeletonData(x=x[:, :6], future=x[:, 6:], skeleton=body)


def test_half_the_speed(body):
    done = ChangeSpeed((0.5, 0.5))(clip(body))
    assert done.x[1, :, 2].tolist() == [2.5, 3.0, 3.5, 4.0, 4.5, 5.0]
    assert done.future[1, :, 2].tolist() == [5.5, 6.0, 6.5, 7.0]


def test_full_speed_is_the_motion(sample, dtype):
    data = sample(dtype=dtype)
    done = ChangeSpeed((1, 1))(data)
    assert torch.equal(done.x, data.x)
    assert torch.equal(done.future, data.future)


def test_one_factor_a_sample(body):
    done = ChangeSpeed((0.4, 0.9))(Batch.from_data_list([clip(body)] * 300))
    assert done.x[:, -1].eq(5).all()
    motion = torch.cat([done.x, done.future], dim=1).view(300, 4, 10, 3)
    step = motion.diff(dim=2)
    factor = step[:, 0, 0, 0]
    torch.testing.assert_close(
        step, factor.view(-1, 1, 1, 1).expand_as(step), rtol=0, atol=1e-5
    )
    assert 0.4 - 1e-5 <= factor.min() < 0.41
    assert 0.89 < factor.max() <= 0.9 + 1e-5


def test_without_a_future_the_end_stays(body):
    data = clip(body)
    del data.future
    done = ChangeSpeed((0.5, 0.5))(data)
    assert done.x[0, :, 0].tolist() == [2.5, 3.0, 3.5, 4.0, 4.5, 5.0]


@pytest.mark.parametrize("factors", [(0.5, 2), (0, 1), (0.9, 0.8)])
def test_bad_factors(factors):
    with pytest.raises(ValueError, match=r"'factors' must be.*high <= 1, got"):
        ChangeSpeed(factors)

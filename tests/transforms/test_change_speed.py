import torch
from torch_geometric.data import Batch

from symgnn_pyg.transforms import ChangeSpeed


def test_half_the_speed(clip):
    done = ChangeSpeed((0.5, 0.5))(clip())
    assert done.x[1, :, 2].tolist() == [2.5, 3.0, 3.5, 4.0, 4.5, 5.0]
    assert done.future[1, :, 2].tolist() == [5.5, 6.0, 6.5, 7.0]


def test_one_factor_a_sample(clip):
    done = ChangeSpeed((0.4, 0.9))(Batch.from_data_list([clip()] * 300))
    assert done.x[:, -1].eq(5).all()
    motion = torch.cat([done.x, done.future], dim=1).view(300, 4, 10, 3)
    step = motion.diff(dim=2)
    factor = step[:, 0, 0, 0]
    torch.testing.assert_close(
        step, factor.view(-1, 1, 1, 1).expand_as(step), rtol=0, atol=1e-5
    )
    assert 0.4 - 1e-5 <= factor.min() < 0.41
    assert 0.89 < factor.max() <= 0.9 + 1e-5


def test_without_a_future_the_end_stays(clip):
    data = clip()
    del data.future
    done = ChangeSpeed((0.5, 0.5))(data)
    assert done.x[0, :, 0].tolist() == [2.5, 3.0, 3.5, 4.0, 4.5, 5.0]

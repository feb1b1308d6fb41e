import torch
from torch_geometric.data import Batch

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.transforms import RandomShear


def test_matrix(body):
    x = torch.cat([torch.eye(3), torch.zeros(1, 3)]).unsqueeze(1)
    data = SkeletonData(x=x, future=2 * x, skeleton=body)
    done = RandomShear(0.3)(Batch.from_data_list([data] * 200))
    matrix = done.x.view(200, 4, 3)[:, :3].mT
    diagonal = matrix.diagonal(dim1=1, dim2=2)
    assert torch.equal(diagonal, torch.ones(200, 3))
    off = matrix - torch.eye(3)
    assert 0.29 < off.abs().max() < 0.3 + 1e-6
    assert off.flatten(1).ne(0).sum(dim=1).eq(6).all()
    assert len(off[0].unique()) == 1 + 6
    torch.testing.assert_close(done.future, 2 * done.x)


def test_two_channels(body):
    x = torch.ones(4, 2, 2)
    done = RandomShear(0.5)(SkeletonData(x=x, skeleton=body))
    assert ((done.x - 1).abs() <= 0.5).all()

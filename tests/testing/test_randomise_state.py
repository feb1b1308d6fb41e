import torch
from torch.nn import BatchNorm1d, Linear, Sequential

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymGNN
from symgnn_pyg.testing import randomise_state
from tests.conftest import TINY


def test_all_weights_and_statistics_are_drawn():
    skeleton = Skeleton(["a", "b", "c"], [(1, 0), (2, 1)])
    net = SymGNN(skeleton, 4, **TINY)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    assert randomise_state(net) is net
    kept = {k for k, v in net.state_dict().items() if v.equal(before[k])}
    assert {k.rpartition(".")[2] for k in kept} == {
        "num_batches_tracked",
        "skeleton_id",
    }
    assert all((v > 0).all() for k, v in before.items() if "running_var" in k)
    out = net(torch.randn(6, 8, 3))
    assert out.logits.isfinite().all()
    assert out.future.isfinite().all()


def test_seeds():
    def drawn(seed, dtype=torch.float):
        layer = Sequential(Linear(3, 4), BatchNorm1d(4)).to(dtype)
        return randomise_state(layer, seed).state_dict()

    one, again, other = drawn(1), drawn(1, torch.double), drawn(2)
    assert all(torch.equal(one[k], again[k].to(one[k].dtype)) for k in one)
    assert not torch.equal(one["0.weight"], other["0.weight"])

import torch

from symgnn_pyg.nn.baselines import ZeroVelocity

STEPS = 3


def test_repeats_the_last_pose(tiny, x):
    net = tiny(ZeroVelocity)
    assert torch.equal(net(x).future, x[:, -1:].expand(-1, STEPS, -1))
    assert list(net.state_dict()) == []

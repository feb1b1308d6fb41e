import pytest
import torch

from symgnn_pyg.nn.baselines import ResidualGRU

N, V, T, STEPS = 3, 5, 12, 3


def test_reads_its_own_predictions(tiny, x, settled):
    net = settled(tiny(ResidualGRU))
    future = net(x).future
    for step in range(1, STEPS):
        seen = torch.cat([x, future[:, :step]], dim=1)
        following = net(seen).future[:, 0]
        torch.testing.assert_close(following, future[:, step])


def test_predicts_what_to_add(tiny, x):
    net = tiny(ResidualGRU).double()
    net.out.weight.data.zero_()
    step = torch.randn(V, 3, dtype=torch.double)
    net.out.bias.data.copy_(step.flatten())
    last = x.view(N, V, T, 3)[:, :, -1:]
    count = torch.arange(1, STEPS + 1).view(-1, 1)
    expected = last + count * step.unsqueeze(1)
    torch.testing.assert_close(net(x).future, expected.flatten(0, 1))


def test_reads_labels(tiny, x):
    net = tiny(ResidualGRU, num_classes=4).double()
    future = net(x, y=torch.tensor([0, 1, 2])).future.unflatten(0, (N, V))
    other = net(x, y=torch.tensor([0, 3, 2])).future.unflatten(0, (N, V))
    torch.testing.assert_close(other[[0, 2]], future[[0, 2]])
    assert not torch.allclose(other[1], future[1])
    bodies, y = torch.tensor([1, 2]), torch.tensor([0, 1])
    torch.testing.assert_close(
        net(x, bodies, y).future, net(x, y=torch.tensor([0, 1, 1])).future
    )


def test_labels_missing_or_not_used(tiny, x):
    with pytest.raises(ValueError, match=r"labels of 4 actions: pass 'y' of"):
        tiny(ResidualGRU, num_classes=4).double()(x)
    with pytest.raises(ValueError, match="reads no labels; build it with"):
        tiny(ResidualGRU).double()(x, y=torch.zeros(N).long())
    with pytest.raises(ValueError, match="'num_classes' must be at least 0"):
        tiny(ResidualGRU, num_classes=-1)

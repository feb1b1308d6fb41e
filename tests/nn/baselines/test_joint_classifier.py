import pytest
import torch

from symgnn_pyg.nn.baselines import AGCN, ASGCN, CTRGCN, STGCN

N, V, T = 3, 5, 12


@pytest.mark.parametrize("kind", [STGCN, AGCN, ASGCN, CTRGCN])
def test_scores_of_bodies_are_averaged(kind, tiny, x, settled):
    net = settled(tiny(kind))
    together = net(x[: 2 * V], torch.tensor([2])).logits
    expected = net(x[: 2 * V]).logits.mean(dim=0, keepdim=True)
    torch.testing.assert_close(together, expected)


@pytest.mark.parametrize("kind", [STGCN, AGCN, ASGCN, CTRGCN])
def test_each_channel_of_each_joint_is_normalised(kind, tiny, x):
    net, seen = tiny(kind).double(), []
    net.blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args))
    net(x)
    samples = x.view(N, V, T, 3)
    var, mean = torch.var_mean(samples, (0, 2), correction=0, keepdim=True)
    expected = (samples - mean) / (var + 1e-5).sqrt()
    torch.testing.assert_close(seen[0][0], expected.flatten(0, 1))

import inspect

import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.nn.baselines import ASGCN

V, T = 5, 12
PUBLISHED = 4_582_739


def num_parameters(net):
    return sum(p.numel() for p in net.parameters())


def test_number_of_parameters():
    net = ASGCN(Skeleton.get("ntu25"), 60)
    inference = num_parameters(net.actional_inference)
    without = num_parameters(net) - inference
    assert f"{without / 1e6:.2f}" == "4.57"
    assert f"{inference / 1e6:.2f}" == "0.24"
    told = " ".join(inspect.getdoc(ASGCN).split())
    assert "4.57 million" in told
    assert "adds 0.24 million" in told
    biases = 10 * 3 * (64 + 128 + 256)
    assert without + biases == PUBLISHED


def test_number_of_frames_is_fixed(tiny):
    with pytest.raises(ValueError, match=r"shape \[M \* 5, 12, 3\], got"):
        tiny(ASGCN)(torch.randn(V, T + 1, 3))
    with pytest.raises(ValueError, match="'num_observed' must be at least 1"):
        tiny(ASGCN, num_observed=0)


def test_actional_graphs_are_weighted(tiny, x, settled):
    net = settled(tiny(ASGCN))
    logits = net(x).logits
    net.lambda_ = 0.0
    without = net(x)
    assert not torch.allclose(without.logits, logits)
    for block in net.blocks:
        block.graph_conv.weight.data[-1] = 0
    net.lambda_ = 0.5
    torch.testing.assert_close(net(x).logits, without.logits)

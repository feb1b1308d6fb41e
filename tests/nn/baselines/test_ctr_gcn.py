import pytest
import torch

from symgnn_pyg.nn.baselines import CTRGCN
from symgnn_pyg.nn.baselines.ctr_gcn import (
    ChannelGraphConv,
    MultiScaleTemporalConv,
)
from symgnn_pyg.nn.baselines.st_gcn import spatial_partitions

N, V, T, D = 3, 5, 12, 8


@pytest.fixture
def conv(arm):
    conv = ChannelGraphConv(3, D, spatial_partitions(arm)).double()
    with torch.no_grad():
        conv.alpha.fill_(0.7)
    return conv


def test_each_channel_has_graphs_of_its_own(conv, x):
    found = conv(x).view(N, V, T, D)
    value = conv.value.weight.view(3, D, 3), conv.value.bias.view(3, D)
    # Rows of the embedding: theta, then phi, one graph after another.
    theta, phi = (
        (w, b)
        for w, b in zip(
            conv.embed.weight.view(2, 3, -1, 3),
            conv.embed.bias.view(2, 3, -1),
            strict=True,
        )
    )
    for n, sample in enumerate(x.view(N, V, T, 3)):
        mean = sample.mean(dim=1)
        expected = torch.zeros(V, T, D, dtype=torch.double)
        for k in range(3):
            one = mean @ theta[0][k].t() + theta[1][k]
            other = mean @ phi[0][k].t() + phi[1][k]
            h = sample @ value[0][k].t() + value[1][k]
            for i in range(V):
                for j in range(V):
                    q = conv.refine[k]((one[i] - other[j]).tanh())
                    expected[i] += (conv.graphs[k, i, j] + 0.7 * q) * h[j]
        torch.testing.assert_close(found[n], expected)


def test_starts_as_graphs_that_channels_share(arm, x):
    conv = ChannelGraphConv(3, D, spatial_partitions(arm)).double()
    graphs = conv.topology(x)
    assert graphs.shape == (N, 3, V, V, D)
    expected = conv.partitions[None, ..., None].expand_as(graphs)
    torch.testing.assert_close(graphs, expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_branches_see_different_distances(stride):
    layer = MultiScaleTemporalConv(8, stride).double().eval()
    x = torch.randn(1, 15, 8, dtype=torch.double)
    before = layer(x)
    assert before.shape == (1, -(-15 // stride), 8)
    x[:, 8] += 1
    changed = (layer(x) != before)[0].unflatten(-1, (4, 2)).any(dim=-1)
    reach = [
        {int(t) * stride - 8 for t in branch.nonzero()}
        for branch in changed.t()
    ]
    even = {0, -2, 2}
    assert reach[0] == (even if stride == 2 else even | {-1, 1})
    assert reach[1] == {-4, -2, 0, 2, 4}
    assert reach[2] <= {-1, 0, 1}
    assert reach[3] == {0}


def test_blocks_start_as_their_residual_connection(tiny, x):
    block = tiny(CTRGCN).double().blocks[0]
    assert block.graph_norm(block.graph_conv(x)).abs().max() < 1e-4
    assert block.graph_residual(x).abs().max() > 1


def test_widths_that_are_not_multiples_of_four(arm):
    with pytest.raises(ValueError, match=r"multiples of 4, got \(4, 6\)"):
        CTRGCN(arm, 4, channels=(4, 6), strides=(1, 1))

import pytest
import torch

from symgnn_pyg.nn.baselines import AGCN
from symgnn_pyg.nn.baselines.agcn import AdaptiveGraphs
from symgnn_pyg.nn.baselines.st_gcn import spatial_partitions

N, V, T = 3, 5, 12


def test_adaptive_graphs(arm, x):
    partitions = spatial_partitions(arm).double()
    graphs = AdaptiveGraphs(3, 2, partitions).double()
    weight = graphs.embed.weight.view(2, 3, 2, 3)
    bias = graphs.embed.bias.view(2, 3, 2)
    found = graphs(x)
    assert found.shape == (N, 3, V, V)
    for n, sample in enumerate(x.split(V)):
        for k in range(3):
            theta, phi = (
                (sample @ weight[i, k].t() + bias[i, k]).flatten(1)
                for i in (0, 1)
            )
            similarity = (theta @ phi.t() / (T * 2)).softmax(dim=1)
            expected = partitions[k] + 1e-6 + similarity
            torch.testing.assert_close(
                found[n, k], expected, atol=1e-10, rtol=0
            )


def test_blocks_start_as_their_residual_connection(tiny, x):
    block = tiny(AGCN).double().blocks[0]
    graph_alone = block.graph_norm(block.graph_conv(x, block.graphs(x)))
    assert graph_alone.abs().max() < 1e-4
    assert block.graph_residual(x).abs().max() > 1


@pytest.mark.parametrize("width", [0, 2, 6])
def test_widths_that_cannot_be_quartered(width, tiny):
    with pytest.raises(
        ValueError, match=rf"multiples of 4, got \({width}, 8\)"
    ):
        tiny(AGCN, channels=(width, 8))

import pytest
import torch

from symgnn_pyg.nn import PartGraphConv

N, V = 2, 3
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture
def conv(arm):
    conv = PartGraphConv(3, 4, arm).double()
    torch.nn.init.uniform_(conv.masked_graph.mask, -1, 1)
    return conv


@pytest.fixture
def x():
    return torch.randn(N * V, 6, 3, dtype=torch.double)


@pytest.fixture
def graph(conv, arm, normalised):
    own = conv.masked_graph.mask.detach() * normalised([(0, 1), (1, 2)], V)
    return own.expand(N, V, V)


def test_formula_along_parts_edges_and_sparse(conv, x, graph, to_edges, mix):
    expected = mix(x, [graph], conv.weight)
    adj_t = torch.block_diag(*graph).to_sparse_csr()
    for given in ((), to_edges([graph]), (adj_t,)):
        torch.testing.assert_close(conv(x, *given), expected, **CLOSE)


def test_errors(conv, x):
    with pytest.raises(ValueError, match=r"5 rows.*3 joints"):
        conv(x[:-1])
    with pytest.raises(ValueError, match="PartGraphConv"):
        PartGraphConv(3, 4)(x)

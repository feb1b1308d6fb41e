import pytest
import torch

from symgnn_pyg.nn import ActionalGraphConv

N, V = 2, 5


@pytest.fixture
def conv():
    return ActionalGraphConv(3, 4).double()


@pytest.fixture
def x():
    return torch.randn(N * V, 6, 3, dtype=torch.double)


@pytest.fixture
def actional():
    return torch.rand(N, V, V, dtype=torch.double).softmax(dim=-1)


def test_formula_along_graphs_edges_and_sparse(
    conv, x, actional, to_edges, mix
):
    expected = mix(x, [actional], conv.weight)
    adj_t = torch.block_diag(*actional).to_sparse_csr()
    for given in ((actional,), (None, *to_edges([actional])), (None, adj_t)):
        torch.testing.assert_close(conv(x, *given), expected)


def test_errors(conv, x, actional):
    with pytest.raises(ValueError, match="ActionalGraphConv"):
        conv(x)
    with pytest.raises(ValueError, match=r"\[1, 5, 5\]"):
        conv(x, actional[:1])

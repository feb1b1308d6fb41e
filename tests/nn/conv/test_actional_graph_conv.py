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


def test_formula(conv, x, actional):
    expected = torch.einsum(
        "nij,njtc,cd->nitd", actional, x.view(N, V, 6, 3), conv.weight[0]
    ).flatten(0, 1)
    torch.testing.assert_close(conv(x, actional), expected)


def test_edges_and_sparse(conv, x, actional, to_edges):
    expected = conv(x, actional)
    edge_index, edge_weight = to_edges([actional])
    adj_t = torch.block_diag(*actional).to_sparse_csr()
    torch.testing.assert_close(
        conv(x, edge_index=edge_index, edge_weight=edge_weight), expected
    )
    torch.testing.assert_close(conv(x, edge_index=adj_t), expected)


def test_graph_is_required(conv, x):
    with pytest.raises(ValueError, match="ActionalGraphConv"):
        conv(x)


def test_wrong_number_of_samples(conv, x, actional):
    with pytest.raises(ValueError, match=r"\[1, 5, 5\]"):
        conv(x, actional[:1])

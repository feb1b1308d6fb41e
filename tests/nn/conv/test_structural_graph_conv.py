import pytest
import torch

from symgnn_pyg.nn import StructuralGraphConv

N, V, L = 2, 5, 3


@pytest.fixture
def conv(arm):
    conv = StructuralGraphConv(3, 4, arm, num_hops=L).double()
    torch.nn.init.uniform_(conv.masked_graph.mask, -1, 1)
    return conv


@pytest.fixture
def x():
    return torch.randn(N * V, 6, 3, dtype=torch.double)


@pytest.fixture
def graphs(conv, arm, normalised):
    """M_l * A^l for each sample, of shape [N, V, V] each."""
    adjacency = normalised(arm.bones + arm.links, V)
    return [
        (mask * torch.linalg.matrix_power(adjacency, hop)).expand(N, V, V)
        for hop, mask in enumerate(conv.masked_graph.mask.detach(), start=1)
    ]


# The layer's own graphs are float32 numbers.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def test_formula(conv, x, graphs):
    expected = sum(
        torch.einsum("nij,njtc,cd->nitd", a, x.view(N, V, 6, 3), w)
        for a, w in zip(graphs, conv.weight, strict=True)
    ).flatten(0, 1)
    torch.testing.assert_close(conv(x), expected, **CLOSE)
    assert not torch.allclose(conv(x[:, 0]), conv(x[:, 1]))


def test_edges(conv, x, graphs, to_edges):
    torch.testing.assert_close(conv(x, *to_edges(graphs)), conv(x), **CLOSE)


def test_sparse_for_one_hop(arm, x, normalised):
    conv = StructuralGraphConv(3, 4, arm, num_hops=1).double()
    adjacency = normalised(arm.bones + arm.links, V)
    adj_t = torch.block_diag(adjacency, adjacency).to_sparse_csr()
    torch.testing.assert_close(conv(x, adj_t), conv(x), **CLOSE)


def test_mask_starts_at_one_and_learns(arm):
    conv = StructuralGraphConv(3, 4, arm, num_hops=L)
    assert conv.masked_graph.mask.eq(1).all()
    conv(torch.randn(N * V, 3)).square().sum().backward()
    used = arm.hop_powers(L) != 0
    assert conv.masked_graph.mask.grad[used].ne(0).all()
    assert conv.masked_graph.mask.grad[~used].eq(0).all()


def test_information_travels_as_far_as_hops(arm):
    conv = StructuralGraphConv(1, 1, arm, num_hops=2)
    x = torch.zeros(V, 1, requires_grad=True)
    conv(x)[0].sum().backward()
    # chest - shoulder - elbow are reached, wrist and hand are not.
    assert x.grad.squeeze().ne(0).tolist() == [True] * 3 + [False] * 2


def test_errors(conv, x, arm):
    with pytest.raises(ValueError, match=r"9 rows.*multiple of the 5 joints"):
        conv(x[:-1])
    with pytest.raises(ValueError, match=r"3 channels.*\[10, 6, 2\]"):
        conv(x[..., :2])
    with pytest.raises(ValueError, match="StructuralGraphConv"):
        StructuralGraphConv(3, 4)(x)
    with pytest.raises(ValueError, match="got 0"):
        StructuralGraphConv(3, 4, arm, num_hops=0)


def test_adj_t_cannot_hold_several_hops(conv, x):
    with pytest.raises(ValueError, match="hop_edges"):
        conv(x, torch.eye(N * V).double().to_sparse_csr())


def test_no_hops():
    with pytest.raises(ValueError, match="'num_hops' must be at least 1"):
        StructuralGraphConv(3, 4, num_hops=0)

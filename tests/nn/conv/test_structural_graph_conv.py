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


def test_formula_along_hops_and_edges(conv, x, graphs, to_edges, mix):
    expected = mix(x, graphs, conv.weight)
    for given in ((), to_edges(graphs)):
        torch.testing.assert_close(conv(x, *given), expected, **CLOSE)


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


def test_errors(conv, x, arm):
    with pytest.raises(ValueError, match=r"9 rows.*multiple of the 5 joints"):
        conv(x[:-1])
    with pytest.raises(ValueError, match=r"3 channels.*\[10, 6, 2\]"):
        conv(x[..., :2])
    with pytest.raises(ValueError, match="StructuralGraphConv"):
        StructuralGraphConv(3, 4)(x)
    for skeleton in (arm, None):
        message = "'num_hops' must be at least 1, got 0"
        with pytest.raises(ValueError, match=message):
            StructuralGraphConv(3, 4, skeleton, num_hops=0)


def test_adj_t_cannot_hold_several_hops(conv, x):
    with pytest.raises(ValueError, match="hop_edges"):
        conv(x, torch.eye(N * V).double().to_sparse_csr())

import pytest
import torch
from torch_geometric.data import Data

from symgnn_pyg.nn import ActionalGraphConv, JointGraphConv, hop_edges

N, V, L, LAMBDA = 2, 5, 2, 0.3
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture
def conv(arm):
    conv = JointGraphConv(3, 4, arm, num_hops=L, lambda_=LAMBDA).double()
    torch.nn.init.uniform_(conv.masked_graph.mask, -1, 1)
    return conv


@pytest.fixture
def x():
    return torch.randn(N * V, 6, 3, dtype=torch.double)


@pytest.fixture
def actional():
    return torch.randn(N, V, V, dtype=torch.double).softmax(dim=-1)


@pytest.fixture
def graphs(conv, arm, normalised, actional):
    adjacency = normalised(arm.bones + arm.links, V)
    return [
        *(
            (mask * torch.linalg.matrix_power(adjacency, hop)).expand(N, V, V)
            for hop, mask in enumerate(conv.masked_graph.mask.detach(), start=1)
        ),
        LAMBDA * actional,
    ]


def test_formula_along_graphs_and_edges(
    conv, x, actional, graphs, to_edges, mix
):
    expected = mix(x, graphs, conv.weight)
    for given in ((actional,), (None, *to_edges(graphs))):
        torch.testing.assert_close(conv(x, *given), expected, **CLOSE)


def test_edges_without_a_skeleton(arm):
    x = torch.randn(N * V, 3)
    edges = hop_edges(arm.edge_index, V, L)
    free = JointGraphConv(3, 4, num_hops=L, use_actional=False)
    conv = JointGraphConv(3, 4, arm, num_hops=L, use_actional=False)
    free.weight.data = conv.weight.data
    torch.testing.assert_close(
        free(x[:V], edge_index=edges[0], edge_weight=edges[1]), conv(x[:V])
    )


@pytest.mark.parametrize("watched", [False, True])
def test_edges_and_actional_graphs(arm, x, actional, watched):
    conv = JointGraphConv(3, 4, arm, num_hops=L).double()
    free = JointGraphConv(3, 4, num_hops=L).double()
    free.weight.data = conv.weight.data
    if watched:
        free.register_message_forward_hook(lambda *_: None)
    shift = V * torch.arange(N).repeat_interleave(arm.edge_index.size(1))
    edges = hop_edges(arm.edge_index.repeat(1, N) + shift, N * V, L)
    torch.testing.assert_close(
        free(x, actional, *edges), conv(x, actional), **CLOSE
    )
    with pytest.raises(ValueError, match=r"'actional' graphs .* got None"):
        free(x, None, *edges)


def test_sparse_for_the_actional_graph_alone(x, actional):
    conv = JointGraphConv(3, 4, lambda_=1.0, use_structural=False).double()
    adj_t = torch.block_diag(*actional).to_sparse_csr()
    torch.testing.assert_close(conv(x, edge_index=adj_t), conv(x, actional))


def test_switches_remove_parameters(arm, x, actional):
    both = JointGraphConv(3, 4, arm, num_hops=L).double()
    structural = JointGraphConv(
        3, 4, arm, num_hops=L, use_actional=False
    ).double()
    only_actional = JointGraphConv(
        3, 4, arm, num_hops=L, use_structural=False
    ).double()
    assert both.weight.size(0) == L + 1
    assert structural.weight.size(0) == L
    assert only_actional.weight.size(0) == 1
    assert only_actional.masked_graph is None
    assert structural(x).shape == only_actional(x, actional).shape


def test_errors(conv, x, actional, arm):
    with pytest.raises(ValueError, match=r"'actional' graphs .* got None"):
        conv(x)
    structural = JointGraphConv(3, 4, arm, use_actional=False).double()
    with pytest.raises(ValueError, match="Expected no 'actional' graphs"):
        structural(x, actional)
    with pytest.raises(ValueError, match=r"9 rows"):
        conv(x[:-1], actional)
    with pytest.raises(ValueError, match="'use_structural' and 'use_"):
        JointGraphConv(3, 4, arm, use_structural=False, use_actional=False)
    with pytest.raises(ValueError, match="'num_hops' must be at least 1"):
        JointGraphConv(3, 4, num_hops=0)
    # Where other layers of PyG expect edges.
    for layer in (conv, ActionalGraphConv(3, 4).double()):
        with pytest.raises(
            ValueError, match=r"a layer takes edges as 'edge_index'"
        ):
            layer(x, torch.zeros(2, 30, dtype=torch.long))
    with pytest.raises(TypeError, match="got Data; pass its 'x'"):
        conv(Data(x), actional)


def test_graphs_beside_edges_are_refused(conv, x, actional, graphs, to_edges):
    edge_index, edge_weight = to_edges(graphs)
    edges = {"edge_index": edge_index, "edge_weight": edge_weight}
    with pytest.raises(ValueError, match=rf"\[E, {L}\].*got \[\d+, {L + 1}\]"):
        conv(x, actional, **edges)
    only = JointGraphConv(3, 4, use_structural=False).double()
    with pytest.raises(ValueError, match=r"either graphs.*got both"):
        only(x, actional, edge_index)
    with pytest.raises(ValueError, match="'skeleton_type' must be None"):
        conv(x, actional, skeleton_type=[0, 0])
    with pytest.raises(ValueError, match="'edge_weight' only together with"):
        conv(x, actional, edge_weight=edge_weight)
    free = JointGraphConv(3, 4).double()
    with pytest.raises(ValueError, match="Expected 'edge_index', since"):
        free(x, actional)

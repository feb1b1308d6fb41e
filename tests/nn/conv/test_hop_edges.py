import warnings

import pytest
import torch
from torch_geometric.data import Batch, Data

from symgnn_pyg.nn import StructuralGraphConv, hop_edges


def dense(edge_index, edge_weight, num_nodes):
    out = torch.zeros(edge_weight.size(1), num_nodes, num_nodes)
    for (source, target), weight in zip(
        edge_index.t().tolist(), edge_weight, strict=True
    ):
        out[:, target, source] += weight
    return out


def powers(edge_index, num_nodes, num_hops, edge_weight=None):
    adjacency = torch.zeros(num_nodes, num_nodes)
    if edge_weight is None:
        adjacency[edge_index[1], edge_index[0]] = 1
    else:
        adjacency.index_put_(
            (edge_index[1], edge_index[0]), edge_weight, accumulate=True
        )
    for loop in adjacency.diagonal().split(1):
        loop[loop == 0] = 1
    adjacency = adjacency / adjacency.sum(dim=1, keepdim=True)
    return torch.stack(
        [torch.linalg.matrix_power(adjacency, k + 1) for k in range(num_hops)]
    )


GRAPHS = {
    "path": torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]),
    "directed": torch.tensor([[2, 0, 3, 3], [0, 1, 0, 2]]),
    "repeated edges": torch.tensor([[2, 2, 0, 1], [0, 0, 2, 0]]),
    "self-loops": torch.tensor([[0, 0, 2, 1], [0, 2, 0, 1]]),
    "no edges": torch.empty(2, 0, dtype=torch.long),
    "random": torch.randint(
        5, (2, 9), generator=torch.Generator().manual_seed(1)
    ),
}


@pytest.mark.parametrize("num_hops", [1, 2, 4])
@pytest.mark.parametrize("graph", list(GRAPHS))
def test_weights_are_the_powers(graph, num_hops):
    edge_index, edge_weight = hop_edges(GRAPHS[graph], 5, num_hops)
    assert edge_weight.shape == (edge_index.size(1), num_hops)
    torch.testing.assert_close(
        dense(edge_index, edge_weight, 5), powers(GRAPHS[graph], 5, num_hops)
    )


@pytest.mark.parametrize("graph", list(GRAPHS))
def test_weighted_edges(graph):
    edge_weight = torch.rand(GRAPHS[graph].size(1)) + 0.1
    edges = hop_edges(GRAPHS[graph], 5, 3, edge_weight=edge_weight)
    torch.testing.assert_close(
        dense(*edges, 5), powers(GRAPHS[graph], 5, 3, edge_weight)
    )


def test_isolated_nodes_keep_their_features():
    edges = hop_edges(GRAPHS["path"], 5, 3, edge_weight=torch.full((4,), 0.2))
    assert torch.equal(dense(*edges, 5)[:, 4], torch.eye(5)[4].expand(3, 5))


def test_no_warning():
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            hop_edges(GRAPHS["random"], 5, 3)
    finally:
        torch.set_warn_always(False)


def test_weights_are_rounded_once(arm):
    edge_index, edge_weight = hop_edges(arm.edge_index, 5, 4)
    adjacency = torch.eye(5, dtype=torch.double)
    adjacency[tuple(arm.edge_index)] = 1
    adjacency = adjacency / adjacency.sum(dim=1, keepdim=True)
    exact = [torch.linalg.matrix_power(adjacency, k) for k in range(1, 5)]
    torch.testing.assert_close(
        dense(edge_index, edge_weight, 5),
        torch.stack(exact).float(),
        rtol=0,
        atol=0,
    )


@pytest.mark.parametrize("graph", list(GRAPHS))
def test_each_edge_is_listed_once(graph):
    edge_index, _ = hop_edges(GRAPHS[graph], 5, 3)
    assert torch.unique(edge_index, dim=1).shape == edge_index.shape


@pytest.mark.parametrize("num_hops", [1, 3])
def test_layer_on_a_random_graph(num_hops, mix):
    edge_index = GRAPHS["random"]
    conv = StructuralGraphConv(2, 3, num_hops=num_hops)
    x = torch.randn(5, 4, 2)
    expected = mix(x, powers(edge_index, 5, num_hops).unsqueeze(1), conv.weight)
    torch.testing.assert_close(
        conv(x, *hop_edges(edge_index, 5, num_hops)), expected
    )


@pytest.mark.parametrize("num_hops", [1, 3])
def test_edges_of_a_batch_equal_the_skeleton(arm, num_hops):
    batch = Batch.from_data_list(
        [Data(x=torch.randn(5, 2), edge_index=arm.edge_index) for _ in range(2)]
    )
    conv = StructuralGraphConv(2, 3, arm, num_hops=num_hops)
    edges = hop_edges(batch.edge_index, batch.num_nodes, num_hops)
    torch.testing.assert_close(conv(batch.x, *edges), conv(batch.x))


@pytest.mark.parametrize(
    ("edge_weight", "message"),
    [
        ([1.0, 0.0], "positive numbers, got 0 for edge 1"),
        ([float("nan"), 1.0], "positive numbers, got nan for edge 0"),
        ([[1.0], [1.0]], r"shape \[2\], .* got \[2, 1\]"),
    ],
)
def test_weights_that_cannot_be(edge_weight, message):
    edge_index = torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(ValueError, match=message):
        hop_edges(edge_index, 3, 2, edge_weight=torch.tensor(edge_weight))


def test_no_hops():
    for hops, nodes, name in ((2.5, 3, "num_hops"), (2, 3.0, "num_nodes")):
        with pytest.raises(TypeError, match=f"'{name}' must be an integer"):
            hop_edges(torch.tensor([[0], [1]]), nodes, hops)
    with pytest.raises(TypeError, match=r"torch\.Tensor, got list"):
        hop_edges([[0], [1]], 3, 2)
    with pytest.raises(ValueError, match="got 0"):
        hop_edges(GRAPHS["path"], 3, 0)


@pytest.mark.parametrize(
    ("edge_index", "message"),
    [
        ([[0, 9], [1, 2]], "below 3, .* edge 1 from node 9 to node 2"),
        ([[0], [-1]], "edge 0 from node 0 to node -1"),
        ([[0], [1], [2]], r"\[3, 1\]"),
        ([[0.0], [1.0]], "int64"),
    ],
)
def test_edges_that_cannot_be(edge_index, message):
    with pytest.raises(ValueError, match=message):
        hop_edges(torch.tensor(edge_index), 3, 2)

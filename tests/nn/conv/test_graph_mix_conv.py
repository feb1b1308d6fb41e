import pytest
import torch
from torch_geometric import EdgeIndex
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import (
    ActionalGraphInference,
    GraphMixConv,
    JGTCBlock,
    PartGraphConv,
    PGTCBlock,
    StructuralGraphConv,
)
from symgnn_pyg.nn.batch import all_pairs

N, V, T = 3, 4, 2


@pytest.fixture
def x():
    return torch.randn(N * V, T, 3, dtype=torch.double)


def random_graphs(num_graphs):
    return [
        torch.rand(N, V, V).double().round(decimals=1)
        for _ in range(num_graphs)
    ]


@pytest.mark.parametrize("num_graphs", [1, 3])
def test_matrices_and_messages_agree(x, num_graphs, to_edges, mix):
    conv = GraphMixConv(3, 5, num_graphs).double()
    graphs = random_graphs(num_graphs)
    expected = mix(x, graphs, conv.weight)
    torch.testing.assert_close(conv(x, graphs), expected)
    torch.testing.assert_close(conv(x, None, *to_edges(graphs)), expected)
    torch.testing.assert_close(
        conv(x[:, 0], None, *to_edges(graphs)), expected[:, 0]
    )


@pytest.mark.parametrize("layout", [torch.sparse_csr, torch.sparse_coo])
def test_sparse_adjacency(x, layout, mix):
    conv = GraphMixConv(3, 5).double()
    graphs = random_graphs(1)
    dense = torch.block_diag(*graphs[0])
    adj_t = dense.to_sparse(layout=layout)
    expected = mix(x, graphs, conv.weight)
    torch.testing.assert_close(conv(x, None, adj_t), expected)
    torch.testing.assert_close(conv(x[:, 0], None, adj_t), expected[:, 0])


def test_edges_without_weights_are_ones(x, to_edges, mix):
    conv = GraphMixConv(3, 5).double()
    graph = (torch.rand(N, V, V) < 0.5).double()
    edge_index, _ = to_edges([graph])
    torch.testing.assert_close(
        conv(x, None, edge_index), mix(x, [graph], conv.weight)
    )


def test_one_weight_an_edge_may_be_flat(x, to_edges):
    conv = GraphMixConv(3, 5).double()
    edge_index, edge_weight = to_edges(random_graphs(1))
    torch.testing.assert_close(
        conv(x, None, edge_index, edge_weight.squeeze(-1)),
        conv(x, None, edge_index, edge_weight),
    )


def test_any_graph_without_samples_of_equal_size():
    conv = GraphMixConv(2, 2).double()
    edge_index = torch.tensor([[0, 1, 6], [1, 2, 3]])
    x = torch.randn(7, 2, dtype=torch.double)
    out = conv(x, None, edge_index)
    torch.testing.assert_close(out[3], x[6] @ conv.weight[0])
    assert out[[0, 4, 5, 6]].eq(0).all()


def test_edge_index_of_pyg(x, to_edges):
    conv = GraphMixConv(3, 5, 2).double()
    edge_index, edge_weight = to_edges(random_graphs(2))
    out = conv(x, None, EdgeIndex(edge_index), edge_weight)
    torch.testing.assert_close(out, conv(x, None, edge_index, edge_weight))


@pytest.mark.parametrize("along", ["pairs", "edges"])
def test_messages_are_made_for_hooks_only(x, to_edges, along):
    conv = GraphMixConv(3, 5, 2).double()
    graphs, seen = random_graphs(2), []
    given, count = (graphs,), N * V * V
    if along == "edges":
        given = (None, *to_edges(graphs))
        count = given[1].size(1)
    expected = conv(x, *given)
    hook = conv.register_message_forward_hook(
        lambda module, inputs, out: seen.append(out)
    )
    torch.testing.assert_close(conv(x, *given), expected)
    assert [m.shape for m in seen] == [(count, T, 3)] * 2
    hook.remove()
    conv(x, *given)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "register",
    [
        "register_propagate_forward_pre_hook",
        "register_propagate_forward_hook",
        "register_message_forward_pre_hook",
        "register_message_forward_hook",
        "register_aggregate_forward_pre_hook",
        "register_aggregate_forward_hook",
    ],
)
def test_every_hook_is_called(x, register):
    conv = GraphMixConv(3, 5, 2).double()
    graphs, seen = random_graphs(2), []
    expected = conv(x, graphs)
    getattr(conv, register)(lambda *args: seen.append(args))
    torch.testing.assert_close(conv(x, graphs), expected)
    assert len(seen) == 2


def test_hooks_can_change_messages(x):
    conv = GraphMixConv(3, 5).double()
    graphs = random_graphs(1)
    expected = 2 * conv(x, graphs)
    conv.register_message_forward_hook(lambda module, inputs, out: 2 * out)
    torch.testing.assert_close(conv(x, graphs), expected)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_explanations_mask_edges(x, share):
    conv = GraphMixConv(3, 5, 2).double()
    graphs = random_graphs(2)
    expected = conv(x, graphs)
    edge_index = all_pairs([(N, V)])
    mask = torch.full((N * V * V,), share, dtype=torch.double)
    set_masks(conv, mask, edge_index, apply_sigmoid=False)
    torch.testing.assert_close(conv(x, graphs), share * expected)
    clear_masks(conv)
    torch.testing.assert_close(conv(x, graphs), expected)


class Classifier(torch.nn.Module):
    """Takes edges for the sake of an explainer."""

    def __init__(self):
        super().__init__()
        self.skeleton = Skeleton(list("abcd"), [(1, 0), (2, 1), (3, 2)])
        self.conv = StructuralGraphConv(3, 5, self.skeleton, num_hops=2)

    def forward(self, x, edge_index):
        return self.conv(x).mean(dim=0, keepdim=True)


def explain(model, x, edge_index):
    explainer = Explainer(
        model,
        algorithm=GNNExplainer(epochs=3),
        explanation_type="model",
        edge_mask_type="object",
        model_config={
            "mode": "multiclass_classification",
            "task_level": "graph",
            "return_type": "raw",
        },
    )
    return explainer(x, edge_index)


def test_explained_by_the_complete_graph():
    model, x = Classifier(), torch.randn(2 * V, 3)
    explanation = explain(model, x, all_pairs([(2, V)]))
    assert explanation.edge_mask.shape == (2 * V * V,)
    # What is not in reach of two hops has no part in it.
    assert explanation.edge_mask.view(2, V, V)[:, 0, 3].eq(0).all()
    assert explanation.edge_mask.view(2, V, V)[:, 0, 1].ne(0).all()


def test_explained_by_other_edges():
    model = Classifier()
    with pytest.raises(ValueError, match=r"6 edges .* 16 messages .*complete"):
        explain(model, torch.randn(V, 3), model.skeleton.edge_index)


@pytest.mark.parametrize("conv", [PartGraphConv, StructuralGraphConv])
def test_edges_without_weights_are_not_the_skeleton(conv):
    skeleton = Skeleton(list("abcd"), [(1, 0), (2, 1), (3, 2)])
    arguments = {} if conv is PartGraphConv else {"num_hops": 1}
    layer = conv(3, 5, skeleton, **arguments)
    rows = skeleton.num_parts if conv is PartGraphConv else V
    with pytest.raises(ValueError, match="use the skeleton, pass neither"):
        layer(torch.randn(rows, 3), edge_index=torch.tensor([[0], [0]]))


ARM = Skeleton(list("abcd"), [(1, 0), (2, 1), (3, 2)])


@pytest.mark.parametrize(
    "layer",
    [
        StructuralGraphConv(3, 5, ARM),
        PartGraphConv(3, 5, ARM),
        JGTCBlock(3, 5, ARM, use_actional=False),
        PGTCBlock(3, 5, ARM),
        ActionalGraphInference(6, ARM),
        lambda x: JGTCBlock(3, 5)(
            x, torch.eye(V)[None], torch.tensor([[0], [1]]), torch.ones(1, 3)
        ),
        lambda x: GraphMixConv(3, 5)(x, torch.eye(V)),
        lambda x: GraphMixConv(3, 5)(x, None, torch.tensor([[0], [1]])),
    ],
)
def test_two_sets_of_nodes_are_refused(x, layer):
    with pytest.raises(TypeError, match=r"got tuple; edges from one set of n"):
        layer((x, x))


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_adjacency_from_one_set_of_nodes_to_another(x, layout):
    adjacency = torch.eye(6, N * V).double()
    adjacency = (
        adjacency.to_sparse()
        if layout is torch.sparse_coo
        else adjacency.to_sparse_csr()
    )
    with pytest.raises(ValueError, match=r"square .* 12 nodes .*\[6, 12\]"):
        GraphMixConv(3, 5).double()(x, None, adjacency)
    edge_index = torch.tensor([[0, 1], [1, N * V]])
    with pytest.raises(
        ValueError, match=r"below 12, .* edge 1 from node 1 to node 12"
    ):
        GraphMixConv(3, 5).double()(x, None, edge_index)


def test_graph_is_required(x):
    conv = GraphMixConv(3, 5).double()
    with pytest.raises(ValueError, match=r"either graphs.*got neither"):
        conv(x)
    edge_index = torch.tensor([[0], [1]])
    with pytest.raises(ValueError, match="GraphMixConv"):
        conv(x, random_graphs(1), edge_index)


def test_edge_weights_of_the_wrong_shape(x, to_edges):
    conv = GraphMixConv(3, 5, 2).double()
    edge_index, edge_weight = to_edges(random_graphs(2))
    for wrong in (edge_weight[:, :1], edge_weight[:-1], edge_weight[:, 0]):
        with pytest.raises(ValueError, match=r"\[E, 2\]"):
            conv(x, None, edge_index, wrong)
    with pytest.raises(ValueError, match=r"\[E, 2\].*got None"):
        conv(x, None, edge_index)


def test_rows_that_are_no_multiple(x):
    conv = GraphMixConv(3, 5).double()
    with pytest.raises(ValueError, match=r"11 rows \(shape \[11, 2, 3\]\)"):
        conv(x[:-1], random_graphs(1))


def test_only_masks_and_weights_are_saved():
    conv = GraphMixConv(3, 5, 2, adjacency=torch.rand(2, V, V))
    assert set(conv.state_dict()) == {"weight", "masked_graph.mask"}


def test_repr():
    assert repr(GraphMixConv(3, 5, 2)) == "GraphMixConv(3, 5, num_graphs=2)"

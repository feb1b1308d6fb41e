import pytest
import torch
from torch_geometric.explain import Explainer, GNNExplainer

from symgnn_pyg.nn import Explainable, SymGNN
from tests.conftest import TINY

SIZES = {**TINY, "num_observed": 4}
CONFIGS = {
    "logits": {
        "mode": "multiclass_classification",
        "task_level": "graph",
        "return_type": "raw",
    },
    "future": {
        "mode": "regression",
        "task_level": "node",
        "return_type": "raw",
    },
}


@pytest.fixture
def net(arm):
    torch.manual_seed(0)
    net = SymGNN(arm, 3, **SIZES).eval()
    torch.nn.init.normal_(net.prediction_head.step.out.lins[-1].weight)
    return net


def explainer(model, edge_mask_type="object", output="logits"):
    return Explainer(
        model,
        GNNExplainer(epochs=3),
        explanation_type="model",
        node_mask_type="attributes",
        edge_mask_type=edge_mask_type,
        model_config=CONFIGS[output],
    )


@pytest.mark.parametrize("output", ["logits", "future"])
def test_computes_what_the_network_computes(net, arm, output):
    x = torch.randn(2 * arm.num_joints, 4, 3)
    found = Explainable(net, output)(x.flatten(1))
    expected = getattr(net(x), output)
    torch.testing.assert_close(found, expected.view_as(found))


@pytest.mark.parametrize("output", ["logits", "future"])
def test_masks_of_joints_and_edges(net, arm, output):
    x = torch.randn(2 * arm.num_joints, 12)
    model = Explainable(net, output)
    before = model(x)
    found = explainer(model, output=output)(x, model.edge_index(2))
    assert found.node_mask.shape == x.shape
    assert found.edge_mask.shape == (2 * arm.num_joints**2,)
    assert found.edge_mask.std() > 0
    torch.testing.assert_close(model(x), before)


def test_mask_of_an_edge_removes_its_messages(net, arm):
    """In the order of `edge_index`."""
    model = Explainable(net)
    v = arm.num_joints
    x = torch.randn(v, 12)
    layer = net.branches[0].joint_blocks[0].graph_conv
    h = torch.randn(v, 4, 3)
    actional = torch.rand(1, v, v)
    edges = model.edge_index()
    lost = 7
    source, target = edges[:, lost].tolist()
    layer.explain, layer._apply_sigmoid = True, False
    layer._edge_mask = torch.ones(v * v)
    layer._edge_mask[lost] = 0.0
    masked = layer(h, actional)
    layer._edge_mask[lost] = 1.0
    changed = (layer(h, actional) - masked).flatten(1).abs().amax(dim=1)
    assert changed.nonzero().flatten().tolist() == [target]
    assert source != target
    assert model(x, edges).shape == (1, 3)


@pytest.mark.parametrize("edges", ["turned", "bones"])
def test_masks_of_other_edges_are_refused(net, arm, edges):
    model = Explainable(net)
    x = torch.randn(arm.num_joints, 12)
    edge_index = {
        "turned": model.edge_index().flip(0),
        "bones": arm.edge_index,
    }[edges]
    with pytest.raises(ValueError, match=r"Explainable\.edge_index\(1\)"):
        explainer(model)(x, edge_index)
    # Without a mask of edges, they do not matter.
    again = Explainable(SymGNN(arm, 3, **SIZES).eval())
    found = explainer(again, edge_mask_type=None)(x, edge_index)
    assert found.node_mask.shape == x.shape


def test_what_it_refuses(net, arm):
    with pytest.raises(ValueError, match="'output' must be one of"):
        Explainable(net, "shared")
    with pytest.raises(ValueError, match="no head for 'future'"):
        Explainable(SymGNN(arm, 3, **{**SIZES, "num_future": 0}), "future")
    with pytest.raises(ValueError, match=r"Expected 'x' of shape \[N \* 5, 12"):
        Explainable(net)(torch.randn(arm.num_joints, 4, 3))

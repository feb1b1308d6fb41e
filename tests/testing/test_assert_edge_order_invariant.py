import pytest
import torch
from torch.nn import Linear, Module
from torch_geometric.nn import GCNConv

from symgnn_pyg.testing import assert_edge_order_invariant


class Layer(Module):
    """Sums weighted messages; faults can be planted."""

    def __init__(self, fault=None):
        super().__init__()
        self.fault, self.lin = fault, Linear(3, 4)

    def forward(self, x, edge_index, edge_weight):
        source, target = edge_index
        if self.fault == "not weighted in order":
            edge_weight = edge_weight.sort().values
        message = edge_weight.view(-1, 1) * self.lin(x)[source]
        if self.fault == "place":
            message = message * torch.linspace(1, 1.01, len(source)).view(-1, 1)
        out = torch.zeros(len(x), 4)
        if self.fault == "last wins":
            return out.index_copy(0, target, message)
        if self.fault == "first edge":
            out = out + message[0]
        if self.fault == "gradient":
            more = message * torch.arange(len(source)).view(-1, 1)
            message = message + more - more.detach()
        return out.index_add(0, target, message)


def check(layer, **kwargs):
    inputs = {
        "x": torch.randn(5, 3),
        "edge_index": torch.randint(5, (2, 12)),
        "edge_weight": torch.rand(12),
    }
    kinds = {"x": "joint", "edge_index": "edge_index", "edge_weight": "edge"}
    assert_edge_order_invariant(layer, inputs, kinds, **kwargs)


@pytest.mark.parametrize("seed", range(3))
def test_sound_layers(seed):
    check(Layer(), seed=seed)
    check(GCNConv(3, 4), seed=seed)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("not weighted in order", "output"),
        ("place", "output"),
        ("last wins", "output"),
        ("first edge", "output"),
        ("gradient", "gradient to 'x'"),
    ],
)
def test_faults_are_found(fault, what):
    message = f"Layer is not edge order invariant: the {what} of shape"
    with pytest.raises(AssertionError, match=message):
        check(Layer(fault))


def test_edges_are_required():
    with pytest.raises(ValueError, match="an argument that is an 'edge_index'"):
        assert_edge_order_invariant(Layer(), {}, {"x": "joint"})

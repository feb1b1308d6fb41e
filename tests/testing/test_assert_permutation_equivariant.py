import pytest
import torch
from torch.nn import Linear, Module, Parameter
from torch_geometric.nn import GCNConv

from symgnn_pyg import Skeleton
from symgnn_pyg.nn import StructuralGraphConv, TemporalConv
from symgnn_pyg.testing import assert_permutation_equivariant, randomise_state


class Layer(Module):
    """Sums over neighbours and scales each joint; faults can be planted."""

    def __init__(self, skeleton, fault=None):
        super().__init__()
        self.fault, self.size = fault, skeleton.num_joints
        self.lin = Linear(3, 4)
        self.scale = Parameter(torch.rand(skeleton.num_joints, 1))
        self.register_buffer("adjacency", skeleton.hop_powers(1)[0])

    def forward(self, x):
        x = x.unflatten(0, (-1, self.size))
        if self.fault == "place":
            x = x + 1e-2 * torch.arange(self.size).view(-1, 1)
        if self.fault == "first joint":
            x = x - x[:, :1]
        if self.fault == "previous joint":
            x = x - x.roll(1, dims=1)
        if self.fault == "gradient":
            more = torch.arange(self.size).view(-1, 1) * x
            x = x + more - more.detach()
        x = self.scale * (self.adjacency @ self.lin(x))
        return x.flatten(0, 1)


PER_NODE = {"scale": "rows", "adjacency": "graph"}


def check(make, body, per_node=PER_NODE, **kwargs):
    assert_permutation_equivariant(
        make,
        body,
        {"x": torch.randn(2 * body.num_joints, 3)},
        {"x": "joint"},
        {"output": "joint"},
        per_node,
        **kwargs,
    )


@pytest.mark.parametrize("seed", range(3))
def test_sound_layer(body, seed):
    check(Layer, body, seed=seed)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("place", "the output of shape"),
        ("first joint", "the output of shape"),
        ("previous joint", "the output of shape"),
        ("gradient", "the gradient to 'x' of shape"),
    ],
)
def test_faults_are_found(body, fault, what):
    message = rf"Layer is not permutation equivariant: {what} \[14, \d\] is off"
    with pytest.raises(AssertionError, match=message):
        check(lambda skeleton: Layer(skeleton, fault), body)


def test_weights_of_joints_that_are_not_named(body):
    with pytest.raises(AssertionError, match="not permutation equivariant"):
        check(Layer, body, per_node={})


def test_masks_are_reordered_unasked(body):
    def make(skeleton):
        return randomise_state(StructuralGraphConv(3, 4, skeleton))

    check(make, body, per_node={"mask": "graph"})
    with pytest.raises(AssertionError, match="not permutation equivariant"):
        check(make, body, per_node={})


def test_layers_of_pyg_along_edges(body):
    conv = GCNConv(3, 4)
    assert_permutation_equivariant(
        lambda skeleton: conv,
        body,
        {"x": torch.randn(7, 3), "edge_index": body.edge_index},
        {"x": "joint", "edge_index": "edge_index"},
        {"output": "joint"},
    )


def test_outputs_that_move_unasked(body):
    with pytest.raises(AssertionError, match="not permutation equivariant"):
        assert_permutation_equivariant(
            lambda skeleton: TemporalConv(3, 4, 3),
            body,
            {"x": torch.randn(7, 5, 3)},
            {"x": "joint"},
            {},
        )


class PerBone(Module):
    def __init__(self, skeleton):
        super().__init__()
        self.scale = Parameter(torch.rand(skeleton.num_bones, 1))

    def forward(self, x):
        return self.scale.mean() * x


def test_numbers_that_are_equal():
    """Both the two bones and the parts that they are in would fit."""
    line = Skeleton(
        list("abc"), [(1, 0), (2, 1)], {"x": [0], "y": [1], "z": [2]}
    )
    match = r"the size 2 of 'scale' is the number of joints, .* pass a skel"
    with pytest.raises(ValueError, match=match):
        check(PerBone, line, seed=1)


def test_unknown_kind(body):
    with pytest.raises(
        ValueError, match=r"The kind of 'x' must be .*'joint', .*'node'"
    ):
        assert_permutation_equivariant(
            Layer, body, {"x": torch.randn(7, 3)}, {"x": "node"}, {}
        )


def test_zeros_prove_nothing(body):
    def make(skeleton):
        layer = Layer(skeleton)
        torch.nn.init.zeros_(layer.scale)
        return layer

    with pytest.raises(
        ValueError, match="Layer to return values other than zero"
    ):
        check(make, body)

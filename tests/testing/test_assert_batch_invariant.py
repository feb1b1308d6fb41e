import pytest
import torch
from torch.nn import BatchNorm1d, Module
from torch_geometric.nn import GCNConv

from symgnn_pyg import nn
from symgnn_pyg.testing import assert_batch_invariant, randomise_state

SIZES = (5, 1, 4)


def check(layer, **kwargs):
    samples = [{"x": torch.randn(size, 3)} for size in SIZES]
    assert_batch_invariant(layer, samples, {"x": "joint"}, **kwargs)


def test_sound_layer(layer):
    check(layer(lambda self, x: self.lin(x).relu()))


def centred(self, x):
    return self.lin(x - x.mean(dim=0))


def scaled(self, x):
    return x / x.square().mean()


def leaking(self, x):
    """Its values are right, its gradients are not."""
    mean = x.mean()
    return self.lin(x) + mean - mean.detach()


def backwards(self, x):
    return self.lin(x).flip(0)


def first_alone(self, x):
    return self.lin(x) * (1 + 1e-3 * (torch.arange(len(x)) >= 6)).view(-1, 1)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (centred, r"sample 0 of 3: the output of shape \[5, 4\] is off by"),
        (scaled, r"sample 0 of 3: the output of shape \[5, 3\]"),
        (leaking, r"sample 0 of 3: the gradient to 'x' of shape \[5, 3\]"),
        (backwards, r"sample 0 of 3: the output"),
        (first_alone, r"sample 2 of 3: the output"),
        (lambda self, x: self.lin(x)[:-1], r"batch has shape \[9, 4\], but"),
        (lambda self, x: self.lin(x).sum(), r"batch has shape \[\], but"),
        (lambda self, x: x if len(x) > 5 else (x, x), r"expected the tensors"),
    ],
)
def test_faults_are_found(layer, function, message):
    message = rf"Made is not batch invariant.*{message}"
    with pytest.raises(AssertionError, match=message):
        check(layer(function))


def test_a_looser_tolerance(layer):
    check(layer(first_alone), rtol=1e-2)


def test_layers_are_asked_in_evaluation_mode(layer):
    made = layer(lambda self, x: self.norm(x))
    made.norm = randomise_state(BatchNorm1d(3))
    check(made)
    assert made.training
    assert made.norm.training
    assert made.norm.num_batches_tracked == 0


def test_edges_are_counted_on():
    samples = [
        {"x": torch.randn(size, 3), "edge_index": torch.randint(size, (2, 6))}
        for size in SIZES
    ]
    kinds = {"x": "joint", "edge_index": "edge_index"}
    assert_batch_invariant(GCNConv(3, 4), samples, kinds)
    with pytest.raises(ValueError, match="if an argument is 'joint'"):
        assert_batch_invariant(GCNConv(3, 4), samples, {**kinds, "x": "sample"})


class Scaled(Module):
    def forward(self, x, scale):
        return scale * x


def test_several_outputs(layer):
    check(layer(lambda self, x: (self.lin(x), x.sin())))
    with pytest.raises(AssertionError, match="sample 0 of 3: the output 1"):
        check(layer(lambda self, x: (self.lin(x), x - x.mean())))


def test_arguments_without_a_kind():
    made = Scaled()
    samples = [{"x": torch.randn(2, 3), "scale": s} for s in (2.0, 2.0)]
    assert_batch_invariant(made, samples, {"x": "joint"})
    samples[1]["scale"] = 3.0
    with pytest.raises(ValueError, match="'scale' differs between samples"):
        assert_batch_invariant(made, samples, {"x": "joint"})


def test_unknown_kind(layer):
    with pytest.raises(
        ValueError, match=r"The kind of 'x' must be .* got 'rows'"
    ):
        assert_batch_invariant(layer(centred), [], {"x": "rows"})


def test_one_tensor_a_sample(body):
    agim = nn.ActionalGraphInference(6, [body, body.dual()], hidden_channels=8)
    samples = [
        {"x": torch.randn(size, 2, 3), "skeleton_type": [kind]}
        for kind, size in ((1, 6), (0, 7), (1, 6))
    ]
    kinds = {"x": "joint", "skeleton_type": "sample"}
    assert_batch_invariant(agim, samples, kinds)

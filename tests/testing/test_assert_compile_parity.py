import pytest
import torch
from torch.nn import BatchNorm1d, Module

from symgnn_pyg.testing import assert_compile_parity

INPUTS = {"x": torch.randn(5, 3)}


class Doubles(torch.autograd.Function):
    """The identity, with the wrong derivative."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


def compiled_otherwise(self, x):
    return self.lin(x) + 1e-3 * torch.compiler.is_compiling()


def derived_otherwise(self, x):
    if torch.compiler.is_compiling():
        x = Doubles.apply(x)
    return self.lin(x)


def weights_derived_otherwise(self, x):
    weight = self.lin.weight
    if torch.compiler.is_compiling():
        weight = Doubles.apply(weight)
    return x @ weight.t()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            compiled_otherwise,
            "changes when it is compiled: the output of shape",
        ),
        (derived_otherwise, "changes when it is compiled: the gradient to 'x'"),
        (weights_derived_otherwise, "the gradient to 'lin.weight'"),
        (
            lambda self, x: self.lin(x) if x.sum() > 0 else x,
            "does not compile: .*ata-dependent",
        ),
    ],
)
def test_faults_are_found(layer, function, message):
    with pytest.raises(AssertionError, match=message):
        assert_compile_parity(layer(function), INPUTS)


def test_sound_layer(layer):
    made = layer(lambda self, x: self.lin(x).sin())
    assert_compile_parity(made, INPUTS)
    assert made.training


class Counter(Module):
    """Counts otherwise when it is compiled."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 2 if torch.compiler.is_compiling() else 1
        return x.sin()


def test_buffers():
    assert_compile_parity(BatchNorm1d(3), {"input": torch.randn(5, 3)})
    counter = Counter()
    message = "Counter updates its buffers differently .*: the calls"
    with pytest.raises(AssertionError, match=message):
        assert_compile_parity(counter, INPUTS)
    assert counter.calls == 0

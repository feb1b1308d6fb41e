import pytest
import torch
from torch.nn import BatchNorm1d, Linear, Module, Parameter

from symgnn_pyg.testing import assert_state_round_trip, randomise_state

INPUTS = {"x": torch.randn(5, 3)}


class Stateless(Module):
    def forward(self, x):
        return x.sin()


class Layer(Module):
    """Keeps its numbers where they are kept; faults can be planted."""

    def __init__(self):
        super().__init__()
        self.lin, self.norm = Linear(3, 4), BatchNorm1d(4)
        self.scale = Parameter(torch.rand(()))

    def forward(self, x):
        return self.scale * self.norm(self.lin(x))


class Plain(Layer):
    """A tensor that is not part of the state."""

    def __init__(self):
        super().__init__()
        self.shift = torch.rand(4)

    def forward(self, x):
        return super().forward(x) + self.shift


class NotPersistent(Layer):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.rand(4), persistent=False)

    def forward(self, x):
        return super().forward(x) + self.shift


class Function(Layer):
    """Holds what cannot be pickled."""

    def __init__(self):
        super().__init__()
        self.residual = lambda x: x

    def forward(self, x):
        return self.residual(super().forward(x))


class Shared(Layer):
    """Its copies are itself."""

    def __deepcopy__(self, memo):
        return self


class SharedBuffer(Module):
    """Returns a number that its copies share."""

    def __init__(self):
        super().__init__()
        self.register_buffer("alpha", torch.rand(()))

    def forward(self, x):
        return self.alpha

    def __deepcopy__(self, memo):
        twin = SharedBuffer()
        twin.alpha = self.alpha
        return twin


class Growing(Layer):
    """Has more weights once it was used."""

    def forward(self, x):
        self.more = Parameter(torch.ones(()))
        return super().forward(x)


class Forgetful(Layer):
    """Loses a number on the way to a pickle."""

    def __getstate__(self):
        state = dict(self.__dict__)
        state["_parameters"] = {"scale": Parameter(torch.ones(()))}
        return state


def check(make, **kwargs):
    layer = randomise_state(make())
    assert_state_round_trip(layer, make, INPUTS, **kwargs)
    assert layer.training


def test_sound_layers():
    check(Layer)
    check(Stateless)


@pytest.mark.parametrize(
    ("make", "way", "message"),
    [
        (Plain, "safetensors", "Plain changes when it is copied by 'safetens"),
        (Plain, "torch", "Plain changes .* copied by 'torch': the output"),
        (NotPersistent, "torch", "changes when it is copied by 'torch'"),
        (Function, "pickle", "Function cannot be copied by 'pickle': .*lambda"),
        (
            Shared,
            "deepcopy",
            "Shared shares memory with its copy by 'deepcopy'",
        ),
        (SharedBuffer, "deepcopy", "shares memory with its copy by 'deepcopy'"),
        (
            Growing,
            "torch",
            "(?s)cannot be copied by 'torch': .*Unexpected.*more",
        ),
        (Forgetful, "pickle", "changes when it is copied by 'pickle'"),
    ],
)
def test_faults_are_found(make, way, message):
    with pytest.raises(AssertionError, match=message):
        check(make, ways=[way])


def test_unknown_way():
    with pytest.raises(ValueError, match=r"got \['paper'\]"):
        check(Layer, ways=["paper"])

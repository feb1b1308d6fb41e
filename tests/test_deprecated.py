"""Old names work, warn of the new name, and mean the same."""

import copy
import inspect
import pickle
from importlib import import_module

import pytest
import torch

from symgnn_pyg import Skeleton, deprecated
from symgnn_pyg.datasets import SyntheticMotion
from symgnn_pyg.nn import (
    JointGraphConv,
    PredictionHead,
    SymbioticLoss,
    SymbioticLossOutput,
    SymGNN,
)

ARM = Skeleton.from_bones([("elbow", "shoulder"), ("wrist", "elbow")])
SMALL = {"channels": (4, 4), "strides": (1, 1), "fusion": (1,)}


def find(name):
    module, _, name = name.rpartition(".")
    return getattr(import_module(f"symgnn_pyg.{module}"), name)


def warns_of(old, new):
    end = f"removed in version {deprecated.REMOVED_IN}; use .*{new}"
    return pytest.warns(DeprecationWarning, match=f"{old}.*{end}")


def small(**arguments):
    torch.manual_seed(0)
    return SymGNN(ARM, 3, **SMALL, **arguments)


ROOMS = ("datasets", "metrics", "nn", "testing", "training")
PUBLIC = [
    f"{room}.{name}"
    for room in ROOMS
    for name in import_module(f"symgnn_pyg.{room}").__all__
]


def parameters(full):
    value = find(full)
    # Some classes have no signature of their own, such as named tuples.
    return inspect.signature(value).parameters if callable(value) else {}


def renamed_arguments():
    for full in PUBLIC:
        names = parameters(full)
        for old, new in deprecated.ARGUMENTS.items():
            if new in names and old not in names:
                yield pytest.param(full, old, new, id=f"{full}-{old}")


def test_what_was_renamed_is_found():
    found = {case.id for case in renamed_arguments()}
    assert found > {
        "datasets.SkeletonArrays-observed",
        "datasets.SkeletonFolder-store",
        "metrics.MPJPE-future",
        "nn.JGTCBlock-structural",
        "nn.SymGNN-part",
        "training.SymGNNTask-prediction_loss",
    }


@pytest.mark.parametrize(("full", "old", "new"), [*renamed_arguments()])
def test_each_renamed_argument(full, old, new):
    # The first argument that a function does not know is the one it names.
    first = {next(iter(inspect.signature(find(full)).parameters)): 1}
    first.pop(new, None)
    with (
        warns_of(old, new),
        pytest.raises((TypeError, ValueError), match="unknown"),
    ):
        find(full)(**first, **{old: 2}, unknown=0)
    with pytest.raises(TypeError, match=f"{new!r} of .* once"):
        find(full)(**first, **{old: 1, new: 1})


@pytest.mark.parametrize("by_position", [True, False])
@pytest.mark.parametrize(("flag", "size"), deprecated.HEADS.items())
def test_flags_of_heads(flag, size, by_position):
    args = (ARM, 3) if by_position else ()
    kwargs = {} if by_position else {"skeleton": ARM, "num_classes": 3}
    with warns_of(flag, f"{size}=0"):
        model = SymGNN(*args, **kwargs, **SMALL, **{flag: False})
    assert model.arguments[size] == 0
    with warns_of(flag, f"{size}=0"):
        model = SymGNN(*args, **kwargs, **SMALL, **{flag: True})
    assert model.arguments[size] > 0


def test_changes_of_a_pretrained_network(tmp_path):
    small().save_pretrained(tmp_path)
    with warns_of("future", "num_future"):
        model = SymGNN.from_pretrained(tmp_path, future=3)
    assert model.num_future == 3


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    made = {
        "MotionDataset": SyntheticMotion(tmp_path_factory.mktemp("motion")),
        "JointGraphConv": JointGraphConv(3, 4, ARM),
        "PredictionHead": PredictionHead(8, 3, ARM, num_future=2),
        "SymGNN": small(),
        "SymbioticLoss": SymbioticLoss(0.5),
        "SymbioticLossOutput": SymbioticLossOutput(*torch.arange(4.0)),
    }
    return made.__getitem__


@pytest.mark.parametrize(("full", "new"), deprecated.ATTRIBUTES.items())
def test_each_renamed_attribute(full, new, owner):
    _, name, old = full.split(".")
    with warns_of(f"{name}.{old}", new):
        assert getattr(owner(name), old) is getattr(owner(name), new)


def test_renamed_attributes_can_be_set():
    model = small()
    for value in (None, torch.nn.Identity()):
        with warns_of("SymGNN.prediction", "prediction_head"):
            model.prediction = value
        assert model.prediction_head is value
    assert "prediction" not in dict(model.named_children())


@pytest.mark.parametrize(("old", "new"), deprecated.MOVED.items())
def test_each_moved_name(old, new):
    with warns_of(f"symgnn_pyg.{old}", f"symgnn_pyg.{new}"):
        assert find(old) is find(new)


@pytest.mark.parametrize("name", ["CMU26", "CMU38", "H36M20", "KINETICS18",
                                  "NTU25"])  # fmt: skip
def test_each_layout(name):
    with warns_of(f"layouts.{name}", "Skeleton.get"):
        assert find(f"layouts.{name}") == Skeleton.get(name)


@pytest.mark.parametrize("module", ["datasets", "export", "layouts",
                                    "streaming", "transforms"])  # fmt: skip
def test_names_that_never_were(module):
    with pytest.raises(AttributeError, match=f"symgnn_pyg.{module}.*'nothing'"):
        find(f"{module}.nothing")


def test_signatures_are_the_current_ones():
    for full in PUBLIC:
        names = parameters(full)
        assert "args" not in names
        assert "observed" not in names


def test_the_warning_names_the_line_of_the_user():
    with warns_of("observed", "num_observed") as warned:
        SymGNN.light(ARM, 3, observed=20)
    assert [each.filename for each in warned] == [__file__]
    with warns_of("Stream", "inference.Stream") as warned:
        from symgnn_pyg.streaming import Stream  # noqa: F401
    assert [each.filename for each in warned] == [__file__]


def test_networks_are_as_before():
    model = small(num_observed=6, num_future=2).eval()
    x = torch.randn(6, 6, 3)
    expected = model(x).future
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(x).future, expected)

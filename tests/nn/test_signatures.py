"""What all constructors and functions have in common."""

import inspect
from importlib import import_module

import pytest
import torch
from torch_geometric.loader import DataLoader

from symgnn_pyg import Skeleton, nn
from symgnn_pyg.nn import baselines
from tests.conftest import TINY

ROOMS = "data datasets inference nn nn.baselines skeleton training transforms"
PUBLIC = {
    f"{room.__name__}.{name}": getattr(room, name)
    for room in (import_module(f"symgnn_pyg.{r}") for r in ROOMS.split())
    for name in room.__all__
    if inspect.isclass(getattr(room, name))
    or inspect.isfunction(getattr(room, name))
}
# Named tuples are made by position.
CHECKED = [
    name
    for name, made in PUBLIC.items()
    if not (inspect.isclass(made) and issubclass(made, tuple))
]
LAYERS = [name for name in CHECKED if name.startswith("symgnn_pyg.nn.")]


@pytest.mark.parametrize("name", CHECKED)
def test_keywords_follow_three_positional_arguments(name):
    found = positional(PUBLIC[name])
    if name == "symgnn_pyg.data.SkeletonLoader":
        assert found == positional(DataLoader)
    else:
        assert len(found) <= 3, found


def positional(made):
    return [
        p.name
        for p in inspect.signature(made).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


@pytest.mark.parametrize(
    ("argument", "default"), [("num_hops", 3), ("kernel_size", 5)]
)
def test_one_default(argument, default):
    found = {}
    for name in LAYERS:
        parameter = inspect.signature(PUBLIC[name]).parameters.get(argument)
        if ".baselines." not in name and parameter is not None:
            found[name] = parameter.default
    assert len(found) >= 4
    required = {inspect.Parameter.empty, default}
    assert {k: v for k, v in found.items() if v not in required} == {}
    assert default in found.values()


def test_the_full_network_has_its_own():
    net = nn.SymGNN.full("cmu26", 2, channels=(2,) * 9, hidden_channels=2)
    assert net.arguments["num_hops"] == 4
    assert net.arguments["kernel_size"] == 9


WRONG_ORDER = {
    "JGTCBlock": lambda: nn.JGTCBlock("ntu25", 3, 16),
    "PGTCBlock": lambda: nn.PGTCBlock("ntu25", 3, 16),
    "JointGraphConv": lambda: nn.JointGraphConv(3, 16, 4),
    "StructuralGraphConv": lambda: nn.StructuralGraphConv(3, 16, 4),
    "PartGraphConv": lambda: nn.PartGraphConv(3, 16, 4),
    "JointToPart": lambda: nn.JointToPart(25),
    "PartToJoint": lambda: nn.PartToJoint(25),
    "BonesToJoints": lambda: nn.BonesToJoints(25),
    "MultiScaleGCN": lambda: nn.MultiScaleGCN(
        3, "ntu25", (4, 4), strides=(1, 1), fusion=()
    ),
    "RecognitionHead": lambda: nn.RecognitionHead("ntu25", 8, 4),
    "PredictionHead": lambda: nn.PredictionHead("ntu25", 8, 4, num_future=2),
    "SymGNN": lambda: nn.SymGNN(8, "ntu25"),
}


@pytest.mark.parametrize("name", list(WRONG_ORDER))
def test_arguments_in_the_wrong_order(name):
    message = "Expected 'skeleton' to be a Skeleton, got int"
    with pytest.raises(TypeError, match=message):
        WRONG_ORDER[name]()


def test_a_size_that_is_none():
    with pytest.raises(TypeError, match="'in_channels' must be an integer"):
        nn.ActionalGraphInference("ntu25", 150)


BY_NAME = {
    "JGTCBlock": lambda s: nn.JGTCBlock(3, 4, s),
    "PGTCBlock": lambda s: nn.PGTCBlock(3, 4, s),
    "JointToPart": lambda s: nn.JointToPart(s),
    "PartToJoint": lambda s: nn.PartToJoint(s),
    "ActionalGraphInference": lambda s: nn.ActionalGraphInference(12, s),
    "BonesToJoints": lambda s: nn.BonesToJoints(s),
    "SymGNN": lambda s: nn.SymGNN(s, 2, **TINY),
    "STGCN": lambda s: baselines.STGCN(s, 2),
    "ASGCN": lambda s: baselines.ASGCN(s, 2),
    "LTD": lambda s: baselines.LTD(s),
}


@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_name_is_the_built_in_skeleton(name):
    states = []
    for skeleton in ("cmu26", Skeleton.get("cmu26")):
        torch.manual_seed(0)
        states.append(BY_NAME[name](skeleton).state_dict())
    assert states[0].keys() == states[1].keys()
    for key, tensor in states[0].items():
        assert torch.equal(tensor, states[1][key]), key


def test_names_among_several_skeletons():
    one = nn.JointGraphConv(3, 4, ["ntu25", Skeleton.get("cmu26")])
    other = nn.JointGraphConv(3, 4, [Skeleton.get("ntu25"), "cmu26"])
    other.load_state_dict(one.state_dict())
    x = torch.randn(25 + 26, 2, 3)
    graphs = [torch.rand(25, 25), torch.rand(26, 26)]
    expected = one(x, graphs, skeleton_type=[0, 1])
    assert torch.equal(other(x, graphs, skeleton_type=[0, 1]), expected)


def test_a_named_skeleton_is_saved_whole(tmp_path):
    net = nn.SymGNN("cmu26", 2, **TINY)
    net.save_pretrained(tmp_path)
    again = nn.SymGNN.from_pretrained(tmp_path)
    assert again.skeleton == Skeleton.get("cmu26")

"""Every layer, model, function and loss that `symgnn_pyg.nn` exports has the
properties that `symgnn_pyg.testing` asserts, in float32 and float64. What is
exported but unknown here fails.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from random import random
from typing import NamedTuple

import pytest
import torch
from torch.nn import Module
from torch_geometric.nn.inits import reset

from symgnn_pyg import Skeleton, nn
from symgnn_pyg.testing import (
    assert_batch_invariant,
    assert_compile_parity,
    assert_edge_order_invariant,
    assert_export_parity,
    assert_permutation_equivariant,
    assert_rigid_motion_behaviour,
    assert_state_round_trip,
    randomise_state,
)
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import tensors
from symgnn_pyg.testing.kinds import join

# Frames, channels of a pose, width, classes.
T, C, D, K = 6, 3, 8, 4
NUM_EDGES = 20

# Its numbers of joints, bones and parts differ, and a link closes a ring.
BODY = Skeleton(
    joints=["hip", "neck", "head", "elbow", "hand", "knee", "foot"],
    bones=[(1, 0), (2, 1), (3, 1), (4, 3), (5, 0), (6, 5)],
    parts={"trunk": [0, 1, 2], "arm": [3, 4], "leg": [5, 6]},
    links=[(4, 6)],
    name="body",
)
ARM = Skeleton(
    joints=["shoulder", "elbow", "hand"],
    bones=[(1, 0), (2, 1)],
    parts={"upper": [0], "lower": [1, 2]},
    name="arm",
)
SKELETONS = [BODY, ARM, Skeleton(["joint"], [])]
MIXED = [SKELETONS[kind] for kind in (0, 1, 2, 1, 0)]


# Arguments ###################################################################


class Argument(NamedTuple):
    """What an argument holds (`None` for what all samples share), and how to
    draw it for a sample.
    """

    kind: str | None
    draw: Callable[[Skeleton], object]


def rows(kind, *shape, bodies=1):
    def draw(skeleton):
        return torch.randn(bodies * getattr(skeleton, f"num_{kind}s"), *shape)

    return Argument(kind, draw)


def edge_weights(num_graphs):
    return Argument("edge", lambda s: torch.randn(NUM_EDGES, num_graphs))


def graphs(skeleton, *shape):
    size = skeleton.num_joints
    return torch.randn(*shape, size, size).softmax(dim=-1)


POSES, BONES, PARTS = (rows(kind, T, C) for kind in ("joint", "bone", "part"))
FEATURES = rows("joint", D)
ACTIONAL = Argument("joint_graph", lambda s: graphs(s, 1))
TWO_GRAPHS = Argument("joint_graph", lambda s: graphs(s, 1, 2))
MATRICES = Argument("joint_graph", lambda s: [graphs(s)])
PROBABILITIES = Argument("sample", lambda s: torch.randn(1, K).softmax(dim=-1))
TWO_BODIES = Argument("sample", lambda s: torch.tensor([2]))
SKELETON_TYPE = Argument("sample", lambda s: [SKELETONS.index(s)])
SIZES = Argument("sample", lambda s: [s.num_joints])
SIZE = Argument(None, lambda s: s.num_joints)
EDGES = Argument(
    "edge_index", lambda s: torch.randint(s.num_joints, (2, NUM_EDGES))
)


# Recipes #####################################################################


class Rigid(NamedTuple):
    """What a rigid motion does to a layer; see the assertion."""

    motion: str
    behaviour: str | Mapping[str, str]
    points: Sequence[str] = ("x",)
    vectors: Sequence[str] = ()


class Recipe(NamedTuple):
    """How to make a layer and call it.

    Args:
        make: Makes the layer of a skeleton, or of several.
        gives: What the fields of the output hold.
        ways: The arguments of each way to call it: for samples of one
            skeleton, for two bodies a sample, for samples of several
            skeletons, for edges.
        rigid: What rigid motions do to it.
        lacks: Why it lacks properties.
        backend: What it is compiled by: for models, whose layers are compiled
            with their derivatives, what is captured is enough.
    """

    make: Callable[..., Module]
    gives: Mapping[str, str]
    ways: Mapping[str, Mapping[str, Argument]]
    rigid: Sequence[Rigid]
    lacks: Mapping[str, str]
    backend: str


def recipe(
    make,
    gives="joint",
    rigid=(),
    lacks=None,
    backend="aot_eager",
    bodies=None,
    mixed=None,
    edges=None,
    **arguments,
):
    if isinstance(gives, str):
        gives = {"output": gives}
    ways = {
        "plain": arguments,
        "bodies": bodies,
        "mixed": mixed and {**arguments, **mixed},
        "edges": edges,
    }
    ways = {way: arguments for way, arguments in ways.items() if arguments}
    return Recipe(make, gives, ways, rigid, lacks or {}, backend)


class HopEdges(Module):
    """The function before the layer that takes what it returns."""

    def __init__(self):
        super().__init__()
        self.conv = nn.StructuralGraphConv(C, D, num_hops=2)

    def forward(self, x, edge_index):
        return self.conv(x, *nn.hop_edges(edge_index, x.size(0), 2))


class MGDAWeight(Module):
    def forward(self, recognition, prediction):
        return nn.mgda_weight(recognition, prediction)


class Loss(Module):
    def __init__(self):
        super().__init__()
        self.loss = nn.SymbioticLoss(random())

    def forward(self, logits, predicted, shared, future):
        out = nn.SymGNNOutput(logits, predicted, None, shared)
        return self.loss(out, torch.arange(logits.size(0)), future)


def along_edges(num_graphs):
    return {
        "x": POSES,
        "edge_index": EDGES,
        "edge_weight": edge_weights(num_graphs),
    }


def symgnn(skeleton):
    return nn.SymGNN(
        skeleton,
        K,
        num_observed=T,
        num_future=2,
        channels=(4, 6),
        strides=(1, 2),
        fusion=(1,),
        num_hops=2,
        kernel_size=3,
        orders=(1,),
        num_iterations=1,
        hidden_channels=D,
    )


def dual_symgnn(skeleton):
    networks = [symgnn(s) for s in (skeleton, skeleton.dual())]
    return nn.DualSymGNN(
        *networks,
        recognition_weight=random(),
        prediction_weight=random(),
    )


def outputs(rows, prefix=""):
    return {
        f"{prefix}logits": "sample",
        f"{prefix}future": rows,
        f"{prefix}actional": f"{rows}_graph",
        f"{prefix}shared": rows,
    }


OF_MIXED = {"skeleton_type": SKELETON_TYPE}
ACTIONAL_OF_MIXED = {"actional": MATRICES, **OF_MIXED}

RECIPES = {
    # Convolutions
    "ActionalGraphConv": recipe(
        lambda s: nn.ActionalGraphConv(C, D),
        x=POSES,
        actional=ACTIONAL,
        mixed={"actional": MATRICES},
        edges=along_edges(1),
    ),
    "Difference": recipe(
        lambda s: nn.Difference(),
        x=POSES,
        rigid=[
            Rigid("translation", "invariant"),
            Rigid("rotation", "equivariant"),
        ],
    ),
    "GraphMixConv": recipe(
        lambda s: nn.GraphMixConv(C, D, num_graphs=2),
        x=POSES,
        graphs=TWO_GRAPHS,
        edges=along_edges(2),
    ),
    "JGTCBlock": recipe(
        lambda s: nn.JGTCBlock(C, D, s, num_hops=2, kernel_size=3, stride=2),
        x=POSES,
        actional=ACTIONAL,
        mixed=ACTIONAL_OF_MIXED,
    ),
    "JointGraphConv": recipe(
        lambda s: nn.JointGraphConv(C, D, s, num_hops=2),
        x=POSES,
        actional=ACTIONAL,
        mixed=ACTIONAL_OF_MIXED,
        edges=along_edges(3),
    ),
    "PGTCBlock": recipe(
        lambda s: nn.PGTCBlock(C, D, s, kernel_size=3, stride=2),
        x=PARTS,
        mixed=OF_MIXED,
        gives="part",
    ),
    "PartGraphConv": recipe(
        lambda s: nn.PartGraphConv(C, D, s),
        x=PARTS,
        mixed=OF_MIXED,
        edges=along_edges(1),
        gives="part",
    ),
    "StructuralGraphConv": recipe(
        lambda s: nn.StructuralGraphConv(C, D, s, num_hops=2),
        x=POSES,
        mixed=OF_MIXED,
        edges=along_edges(2),
    ),
    "TemporalConv": recipe(
        lambda s: nn.TemporalConv(C, D, kernel_size=3, stride=2), x=POSES
    ),
    "hop_edges": recipe(
        lambda s: HopEdges(),
        edges={"x": POSES, "edge_index": EDGES},
        lacks=dict.fromkeys(
            ["compile", "export"], "how many edges there are is read from data"
        ),
    ),
    # Pooling
    "JointToPart": recipe(
        nn.JointToPart,
        x=POSES,
        mixed=OF_MIXED,
        gives="part",
        rigid=[Rigid("rigid motion", "equivariant")],
    ),
    "PartToJoint": recipe(
        nn.PartToJoint,
        x=PARTS,
        mixed=OF_MIXED,
        rigid=[Rigid("rigid motion", "equivariant")],
    ),
    # Models
    "ActionalGraphInference": recipe(
        lambda s: nn.ActionalGraphInference(T * C, s, hidden_channels=D),
        x=POSES,
        mixed=OF_MIXED,
        gives="joint_graph",
    ),
    "ActionalPropagation": recipe(
        lambda s: nn.ActionalPropagation(D, dropout=0.5),
        h=FEATURES,
        num_joints=SIZE,
        mixed={"num_joints": SIZES},
        edges={"h": FEATURES, "edge_index": EDGES},
    ),
    "BonesToJoints": recipe(
        nn.BonesToJoints,
        bones=BONES,
        joints=POSES,
        rigid=[Rigid("rigid motion", "equivariant", ["joints"], ["bones"])],
    ),
    "DualSymGNN": recipe(
        dual_symgnn,
        x=POSES,
        bone_x=BONES,
        gives={
            "logits": "sample",
            "future": "joint",
            **outputs("joint", "joint."),
            **outputs("bone", "bone."),
        },
        backend="eager",
    ),
    "MultiScaleGCN": recipe(
        lambda s: nn.MultiScaleGCN(
            s, C, (4, 6), strides=(1, 2), fusion=(1,), num_hops=2, kernel_size=3
        ),
        x=POSES,
        actional=ACTIONAL,
        backend="eager",
    ),
    "PredictionHead": recipe(
        lambda s: nn.PredictionHead(
            D,
            C,
            s,
            num_future=2,
            num_classes=K,
            orders=(1, 2),
            hidden_channels=D,
            num_hops=2,
        ),
        x=POSES,
        h=FEATURES,
        actional=ACTIONAL,
        probabilities=PROBABILITIES,
        rigid=[Rigid("translation", "equivariant")],
    ),
    "DirectDecoder": recipe(
        lambda s: nn.DirectDecoder(
            D,
            C,
            s,
            num_recent=3,
            num_future=2,
            num_classes=K,
            hidden_channels=D,
            num_hops=2,
        ),
        x=POSES,
        h=FEATURES,
        actional=ACTIONAL,
        probabilities=PROBABILITIES,
        lacks={"permutation": "each joint has a bias of its own"},
    ),
    "LinearForecast": recipe(
        lambda s: nn.LinearForecast(s, C, 3, num_future=2),
        x=POSES,
        rigid=[Rigid("translation", "invariant")],
        lacks={"permutation": "each joint has weights of its own"},
    ),
    "TemporalPool": recipe(lambda s: nn.TemporalPool(T, C), x=POSES),
    "RecognitionHead": recipe(
        lambda s: nn.RecognitionHead(D, K, s, hidden_channels=D),
        h=FEATURES,
        bodies={"h": rows("joint", D, bodies=2), "num_bodies": TWO_BODIES},
        gives="sample",
    ),
    "SymGNN": recipe(
        symgnn,
        x=POSES,
        bodies={"x": rows("joint", T, C, bodies=2), "num_bodies": TWO_BODIES},
        gives=outputs("joint"),
        backend="eager",
    ),
    # Losses
    "SymbioticLoss": recipe(
        lambda s: Loss(),
        logits=PROBABILITIES,
        predicted=POSES,
        shared=FEATURES,
        future=POSES,
        gives={},
        rigid=[
            Rigid(
                "translation",
                {"prediction_loss": "invariant"},
                ["predicted", "future"],
            )
        ],
        lacks={"batch": "it is a mean over the batch"},
    ),
    "PoseLoss": recipe(
        lambda s: nn.PoseLoss(torch.ones(s.num_joints, 1)),
        predicted=POSES,
        true=POSES,
        gives={},
        rigid=[Rigid("rigid motion", "invariant", ["predicted", "true"])],
        lacks={
            "batch": "it is a mean over the batch",
            "meta": "its scale is an argument",
        },
    ),
    "mgda_weight": recipe(
        lambda s: MGDAWeight(),
        recognition=FEATURES,
        prediction=FEATURES,
        gives={},
        lacks={"batch": "it is one weight for the batch"},
    ),
}
NO_LAYERS = {
    "DualSymGNNOutput": "a named tuple",
    "Explainable": "a network with another signature",
    "SymGNNOutput": "a named tuple",
    "SymbioticLossOutput": "a named tuple",
}


def recipe_of(name):
    if name not in RECIPES:
        pytest.fail(
            f"symgnn_pyg.nn exports {name!r}, whose properties are not tested: "
            f"say in RECIPES of tests/testing/test_every_layer.py how to make "
            f"and call it, or in NO_LAYERS what it is instead"
        )
    return RECIPES[name]


# Properties ##################################################################


class Case:
    """A layer, and how it is called in one of its ways."""

    def __init__(self, name, way, dtype):
        self.recipe, self.way, self.dtype = recipe_of(name), way, dtype
        self.skeleton = SKELETONS if way == "mixed" else BODY
        self.arguments = self.recipe.ways[way]
        self.kinds = {
            name: argument.kind
            for name, argument in self.arguments.items()
            if argument.kind is not None
        }
        skeletons = MIXED if way == "mixed" else [BODY] * 3
        self.samples = [self.draw(skeleton) for skeleton in skeletons]
        self.batch = join(self.samples, self.kinds)
        self.layer = self.make(self.skeleton)

    def draw(self, skeleton):
        return {
            name: self.cast(argument.draw(skeleton))
            for name, argument in self.arguments.items()
        }

    def cast(self, value):
        if isinstance(value, list):
            return [self.cast(part) for part in value]
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            return value.to(self.dtype)
        return value

    def make(self, skeleton):
        return randomise_state(self.recipe.make(skeleton)).to(self.dtype).eval()


def permutation(case):
    assert_permutation_equivariant(
        case.make,
        BODY,
        case.batch,
        case.kinds,
        {"output": "joint"} if case.way == "edges" else case.recipe.gives,
    )


def batch(case):
    assert_batch_invariant(case.layer, case.samples, case.kinds)


def edge_order(case):
    assert_edge_order_invariant(case.layer, case.batch, case.kinds)


def rigid_motion(case):
    for motion, behaviour, points, vectors in case.recipe.rigid:
        assert_rigid_motion_behaviour(
            case.layer, case.batch, behaviour, motion, points, vectors
        )


def compilation(case):
    assert_compile_parity(case.layer, case.batch, case.recipe.backend)


def export(case):
    assert_export_parity(case.layer, case.batch)


def state(case):
    assert_state_round_trip(
        case.layer,
        lambda: case.recipe.make(case.skeleton).to(case.dtype),
        case.batch,
    )


# What torch offers: in training mode, whose backward passes recompute, without
# dropout, so that two calls compute the same.


def trained(case):
    layer = copy.deepcopy(case.layer).train()
    # As torch asks of whoever transforms functions of batch normalisation.
    torch.func.replace_all_batch_norm_modules_(layer)
    for module in layer.modules():
        if hasattr(module, "dropout") and not isinstance(
            module.dropout, Module
        ):
            module.dropout = [0.0] * 9 if module.dropout else module.dropout
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    inputs = {
        name: value
        for name, value in case.batch.items()
        if isinstance(value, torch.Tensor) and value.is_floating_point()
    }
    rest = {k: v for k, v in case.batch.items() if k not in inputs}

    def total(*values):
        given = dict(zip(inputs, values, strict=True))
        out = tensors(layer(**given, **rest)).values()
        return torch.stack(
            [
                t.sin().sum()
                for t in out
                if t.requires_grad or t.is_floating_point()
            ]
        ).sum()

    return layer, total, tuple(inputs.values())


def differentiable(case):
    _, total, values = trained(case)
    leaves = [v.clone().requires_grad_() for v in values]
    return total, values, leaves, total(*leaves)


def function_transforms(case):
    total, values, leaves, out = differentiable(case)
    every = tuple(range(len(values)))
    wanted = torch.autograd.grad(
        out, leaves, allow_unused=True, materialize_grads=True
    )
    near = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-4)
    near(torch.func.grad(total, every)(*values), wanted)
    near(torch.func.jacrev(total, every)(*values), wanted)
    one = torch.ones((), dtype=out.dtype)
    near(torch.func.vjp(total, *values)[1](one), wanted)
    tangents = tuple(map(torch.ones_like, values))
    slope = sum(w.sum() for w in wanted)
    near(torch.func.jvp(total, values, tangents)[1], slope)


def batched_gradients(case):
    _, _, leaves, out = differentiable(case)
    towards = torch.tensor([1.0, -2.0], dtype=out.dtype)
    options = {"allow_unused": True, "retain_graph": True}
    found = torch.autograd.grad(
        out, leaves, towards, is_grads_batched=True, **options
    )
    wanted = torch.autograd.grad(out, leaves, **options)
    for batch, one in zip(found, wanted, strict=True):
        if one is not None:
            torch.testing.assert_close(batch, torch.stack([one, -2 * one]))


def penalty(case):
    """On the gradient of one input, through frozen weights and others."""
    layer, total, values = trained(case)
    layer.requires_grad_(False)
    for i in range(len(values)):
        leaves = [
            v.clone().requires_grad_(i == j) for j, v in enumerate(values)
        ]
        out = total(*leaves)
        if not out.requires_grad:
            continue
        (slope,) = torch.autograd.grad(
            out,
            leaves[i],
            create_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        if slope.requires_grad:
            torch.autograd.grad(
                slope.square().sum(), leaves[i], allow_unused=True
            )


def hooks(case):
    """Every module with weights of its own is called, and its output is what
    its hooks have seen when the others have run."""
    layer, total, values = trained(case)
    seen = {}
    for name, module in layer.named_modules():
        unused = case.way == "edges" and name == "masked_graph"
        if name and not unused and [*module.parameters(recurse=False)]:
            module.register_forward_hook(
                lambda module, inputs, out, name=name: seen.setdefault(
                    name, []
                ).append((out, tensors(out)))
            )
            seen[name] = []
    copies = {}
    out = total(*(v.clone().requires_grad_() for v in values))
    for name, calls in seen.items():
        assert calls, f"{name} is a module, but nobody calls it"
    copies = {n: [c for _, c in calls] for n, calls in seen.items()}
    before = {
        n: [{k: t.detach().clone() for k, t in c.items()} for c in calls]
        for n, calls in copies.items()
    }
    counts = {n: len(c) for n, c in seen.items()}
    if out.requires_grad:
        out.backward()
    assert counts == {n: len(c) for n, c in seen.items()}
    for name, calls in copies.items():
        for now, then in zip(calls, before[name], strict=True):
            compare(now, then, f"what {name} returned changes", rtol=0.0)


def double(case):
    """A layer that is converted equals one that was made in float64."""
    before = torch.get_default_dtype()
    converted = randomise_state(case.recipe.make(case.skeleton))
    try:
        torch.set_default_dtype(torch.double)
        made = case.recipe.make(case.skeleton)
    finally:
        torch.set_default_dtype(before)
    converted = converted.double().eval()
    made.double().load_state_dict(converted.state_dict())
    with torch.no_grad():
        found, wanted = (
            tensors(m.eval()(**case.batch)) for m in (converted, made)
        )
    compare(found, wanted, "Converted to float64 it is another", rtol=1e-14)


def meta(case):
    with torch.device("meta"):
        layer = case.recipe.make(case.skeleton).to(case.dtype).eval()
        inputs = {
            k: v.to("meta") if isinstance(v, torch.Tensor) else v
            for k, v in case.batch.items()
        }
        if case.way == "plain":
            for tensor in tensors(layer(**inputs)).values():
                assert tensor.is_meta
    layer = layer.to_empty(device="cpu")
    reset(layer)
    layer.load_state_dict(case.layer.state_dict())
    found, wanted = (
        tensors(m(**case.batch)) for m in (layer.eval(), case.layer)
    )
    compare(found, wanted, "From the device 'meta' it is another", rtol=0.0)


PROPERTIES = {
    "function transforms": function_transforms,
    "batched gradients": batched_gradients,
    "penalty": penalty,
    "hooks": hooks,
    "double": double,
    "meta": meta,
    "permutation": permutation,
    "batch": batch,
    "edge order": edge_order,
    "rigid motion": rigid_motion,
    "compile": compilation,
    "export": export,
    "state": state,
}


# What is captured does not depend on the type of the numbers.
CAPTURED = {"compile", "export"}
TORCH = (
    "function transforms",
    "batched gradients",
    "penalty",
    "hooks",
    "double",
    "meta",
)


def applies(found, way, has):
    if has in found.lacks:
        return False
    if has in TORCH:
        return way == "plain" or has in ("hooks", "double", "meta")
    if has == "permutation":
        return way != "mixed"
    if has == "edge order":
        return "edge_index" in found.ways[way]
    if has == "rigid motion":
        return way == "plain" and len(found.rigid) > 0
    if has in CAPTURED:
        return way != "plain" or "bodies" not in found.ways
    return True


def cases():
    for name in nn.__all__:
        if name not in RECIPES and name not in NO_LAYERS:
            yield name, "unknown", "unknown", torch.float64
    for name, found in RECIPES.items():
        for way, has in product(found.ways, PROPERTIES):
            if applies(found, way, has):
                yield name, way, has, torch.float64
            if applies(found, way, has) and has not in (*CAPTURED, *TORCH):
                yield name, way, has, torch.float32


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize(("name", "way", "has", "dtype"), [*cases()], ids=str)
def test_every_layer(name, way, has, dtype):
    PROPERTIES[has](Case(name, way, dtype))


def test_what_is_unknown_fails():
    message = "exports 'WingConv'.* say in RECIPES of .*how to make"
    with pytest.raises(pytest.fail.Exception, match=message):
        recipe_of("WingConv")


def test_tables_are_up_to_date():
    assert {*RECIPES, *NO_LAYERS} == {*nn.__all__}
    for found in RECIPES.values():
        assert {*found.lacks} <= {*PROPERTIES}

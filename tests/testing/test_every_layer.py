"""Every layer, model, function and loss that `symgnn_pyg.nn` exports, and
every baseline, has the properties that `symgnn_pyg.testing` asserts, in float32
and float64, and works with what torch offers. What is exported but unknown here
fails.
"""

import copy
import inspect
import pickle
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from random import random
from typing import NamedTuple

import pytest
import torch
from torch.export import Dim
from torch.func import functional_call
from torch.nn import BatchNorm1d, GroupNorm, Identity, Module
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrizations, weight_norm
from torch.utils._pytree import tree_map
from torch_geometric.nn import MessagePassing
from torch_geometric.nn.inits import reset

from symgnn_pyg import Skeleton, nn
from symgnn_pyg.nn import baselines
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
from symgnn_pyg.testing.evaluate import evaluate, tensors
from symgnn_pyg.testing.kinds import ROWS, join
from tests.conftest import TINY
from tests.testing.conftest import BODY

# Frames, channels of a pose, width, classes.
T, C, D, K = 6, 3, 8, 4
NUM_EDGES = 20

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
        make: Makes the layer of a skeleton, or of several; with `in_channels`
            if the layer can infer them.
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
        return self.loss(out, torch.arange(logits.size(0)) % K, future)


def along_edges(num_graphs):
    return {
        "x": POSES,
        "edge_index": EDGES,
        "edge_weight": edge_weights(num_graphs),
    }


def symgnn(skeleton):
    sizes = {**TINY, "num_observed": T, "orders": (1,), "num_iterations": 1}
    return nn.SymGNN(skeleton, K, **sizes)


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


def baseline(kind, gives, lacks=None, **kwargs):
    size = 2 if "future" in gives else K
    return recipe(
        lambda s: kind(s, size, **kwargs),
        x=POSES,
        gives=gives,
        lacks={"permutation": "it has weights for each joint", **(lacks or {})},
        backend="eager",
    )


def fitted(*args, **kwargs):
    """With weights as of a fit: they are buffers, which start at zero."""
    made = baselines.LinearRegression(*args, **kwargs)
    made.weight.normal_()
    return made


OF_FRAMES = {"dynamic frames": "the number of frames is an argument"}
OF_ROWS = {"missing rows": "it does not know the number of joints"}
OF_HEADS = {"missing rows": "the network around it checks its rows"}
OF_MIXED = {"skeleton_type": SKELETON_TYPE}
ACTIONAL_OF_MIXED = {"actional": MATRICES, **OF_MIXED}

RECIPES = {
    # Convolutions
    "ActionalGraphConv": recipe(
        lambda s, in_channels=C: nn.ActionalGraphConv(in_channels, D),
        x=POSES,
        actional=ACTIONAL,
        mixed={"actional": MATRICES},
        edges=along_edges(1),
    ),
    "Difference": recipe(
        lambda s: nn.Difference(),
        x=POSES,
        lacks=OF_ROWS,
        rigid=[
            Rigid("translation", "invariant"),
            Rigid("rotation", "equivariant"),
        ],
    ),
    "GraphMixConv": recipe(
        lambda s, in_channels=C: nn.GraphMixConv(in_channels, D, num_graphs=2),
        x=POSES,
        graphs=TWO_GRAPHS,
        edges=along_edges(2),
    ),
    "JGTCBlock": recipe(
        lambda s, in_channels=C: nn.JGTCBlock(
            in_channels, D, s, num_hops=2, kernel_size=3, stride=2
        ),
        x=POSES,
        actional=ACTIONAL,
        mixed=ACTIONAL_OF_MIXED,
        edges={**along_edges(2), "actional": ACTIONAL},
    ),
    "JointGraphConv": recipe(
        lambda s, in_channels=C: nn.JointGraphConv(
            in_channels, D, s, num_hops=2
        ),
        x=POSES,
        actional=ACTIONAL,
        mixed=ACTIONAL_OF_MIXED,
        edges=along_edges(3),
    ),
    "PGTCBlock": recipe(
        lambda s, in_channels=C: nn.PGTCBlock(
            in_channels, D, s, kernel_size=3, stride=2
        ),
        x=PARTS,
        mixed=OF_MIXED,
        edges=along_edges(1),
        gives="part",
    ),
    "PartGraphConv": recipe(
        lambda s, in_channels=C: nn.PartGraphConv(in_channels, D, s),
        x=PARTS,
        mixed=OF_MIXED,
        edges=along_edges(1),
        gives="part",
    ),
    "StructuralGraphConv": recipe(
        lambda s, in_channels=C: nn.StructuralGraphConv(
            in_channels, D, s, num_hops=2
        ),
        x=POSES,
        mixed=OF_MIXED,
        edges=along_edges(2),
    ),
    "TemporalConv": recipe(
        lambda s, in_channels=C: nn.TemporalConv(
            in_channels, D, kernel_size=3, stride=2
        ),
        x=POSES,
        lacks=OF_ROWS,
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
        lambda s, in_channels=T * C: nn.ActionalGraphInference(
            in_channels, s, hidden_channels=D
        ),
        x=POSES,
        mixed=OF_MIXED,
        gives="joint_graph",
        lacks=OF_FRAMES,
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
        lacks={
            **OF_FRAMES,
            **dict.fromkeys(
                [
                    "partial gradients",
                    "other norms",
                    "replaced modules",
                    "reparametrised weights",
                ],
                "two networks that have it take twice the time",
            ),
        },
        backend="eager",
    ),
    "MultiScaleGCN": recipe(
        lambda s, in_channels=C: nn.MultiScaleGCN(
            s,
            in_channels,
            (4, 6),
            strides=(1, 2),
            fusion=(1,),
            num_hops=2,
            kernel_size=3,
        ),
        x=POSES,
        actional=ACTIONAL,
        backend="eager",
    ),
    "PredictionHead": recipe(
        lambda s, in_channels=D: nn.PredictionHead(
            in_channels,
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
        lacks=OF_HEADS,
    ),
    "DirectDecoder": recipe(
        lambda s, in_channels=D: nn.DirectDecoder(
            in_channels,
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
        lacks={"permutation": "each joint has a bias of its own", **OF_HEADS},
    ),
    "LinearForecast": recipe(
        lambda s: nn.LinearForecast(C, s, num_recent=3, num_future=2),
        x=POSES,
        rigid=[Rigid("translation", "invariant")],
        lacks={"permutation": "each joint has weights of its own", **OF_HEADS},
    ),
    "TemporalPool": recipe(
        lambda s: nn.TemporalPool(T, C),
        x=POSES,
        lacks={**OF_FRAMES, **OF_ROWS},
    ),
    "RecognitionHead": recipe(
        lambda s, in_channels=D: nn.RecognitionHead(
            in_channels, K, s, hidden_channels=D
        ),
        h=FEATURES,
        bodies={"h": rows("joint", D, bodies=2), "num_bodies": TWO_BODIES},
        gives="sample",
    ),
    "SymGNN": recipe(
        symgnn,
        x=POSES,
        bodies={"x": rows("joint", T, C, bodies=2), "num_bodies": TWO_BODIES},
        gives=outputs("joint"),
        lacks=OF_FRAMES,
        backend="eager",
    ),
    # Baselines
    "AGCN": baseline(
        baselines.AGCN,
        {"logits": "sample", "shared": "joint"},
        channels=(4, 8),
        strides=(1, 2),
    ),
    "ASGCN": baseline(
        baselines.ASGCN,
        {"logits": "sample", "actional": "joint_graph", "shared": "joint"},
        OF_FRAMES,
        num_observed=T,
        channels=(4, 8),
        strides=(1, 2),
        num_hops=2,
        kernel_size=3,
    ),
    "CTRGCN": baseline(
        baselines.CTRGCN,
        {"logits": "sample", "shared": "joint"},
        channels=(8, 16),
        strides=(1, 2),
    ),
    "HCN": baseline(
        baselines.HCN,
        {"logits": "sample", "shared": "sample"},
        num_frames=16,
        hidden_channels=D,
    ),
    "LTD": baseline(
        baselines.LTD,
        {"future": "joint", "shared": "joint"},
        num_recent=3,
        channels=D,
        num_blocks=1,
    ),
    "LinearRegression": baseline(
        fitted,
        {"future": "joint", "shared": "joint"},
        num_recent=3,
    ),
    "ResidualGRU": baseline(
        baselines.ResidualGRU,
        {"future": "joint", "shared": "sample"},
        {
            "dynamic frames": "torch unrolls a GRU in exported programs",
            "compile": "torch breaks the graph at a GRU",
        },
        channels=D,
    ),
    "STGCN": baseline(
        baselines.STGCN,
        {"logits": "sample", "shared": "joint"},
        channels=(4, 8),
        strides=(1, 2),
        kernel_size=3,
    ),
    "ZeroVelocity": recipe(
        lambda s: baselines.ZeroVelocity(s, 2),
        x=POSES,
        gives={"future": "joint", "shared": "joint"},
        rigid=[Rigid("rigid motion", "equivariant")],
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
        lambda s: nn.PoseLoss(
            torch.full(
                (s.num_joints, 1), 1 / 3, dtype=torch.double, device="cpu"
            )
        ),
        predicted=POSES,
        true=POSES,
        gives={},
        rigid=[Rigid("rigid motion", "invariant", ["predicted", "true"])],
        lacks={"batch": "it is a mean over the batch"},
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
EXPORTED = [*nn.__all__, *baselines.__all__]


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


class Samples(Module):
    """A layer that takes rows as [N, V, *]: for a symbolic N, exported programs
    compute with N, and not with a quotient that must differ from one."""

    def __init__(self, layer, rows):
        super().__init__()
        self.layer, self.rows = layer, rows

    def forward(self, given):
        return self.layer(
            **{
                name: value.flatten(0, 1) if name in self.rows else value
                for name, value in given.items()
            }
        )


def dynamic_samples(case):
    counts = {kind: getattr(BODY, f"num_{kind}s") for kind in ROWS}
    rows = {n: counts[k] for n, k in case.kinds.items() if k in counts}

    def batch(num_samples):
        samples = [case.draw(BODY) for _ in range(num_samples)]
        return {
            name: value.unflatten(0, (num_samples, rows[name]))
            if name in rows
            else value
            for name, value in join(samples, case.kinds).items()
        }

    samples = Dim("samples")
    shapes = {
        name: {0: samples} if name in case.kinds else None
        for name in case.batch
    }
    assert_export_parity(
        Samples(case.layer, rows),
        {"given": batch(3)},
        {"given": shapes},
        others=[{"given": batch(size)} for size in (1, 5)],
    )


def dynamic_rows(case):
    """Rows of all samples, of which graphs tell the number."""
    samples = Dim("samples")
    shapes = {}
    for name, kind in case.kinds.items():
        count = getattr(BODY, f"num_{kind}s") if kind in ROWS else 1
        shapes[name] = {0: count * samples}
    told = any(kind not in ROWS for kind in case.kinds.values())
    assert_export_parity(
        case.layer,
        case.batch,
        {name: shapes.get(name) for name in case.batch},
        others=[
            join([case.draw(BODY) for _ in range(size)], case.kinds)
            for size in ((1, 5) if told else (5,))
        ],
    )


def dynamic_edges(case):
    nodes, edges, samples = Dim("nodes"), Dim("edges"), Dim("samples")
    if "joint_graph" in case.kinds.values():
        # Graphs of samples tell the number of nodes.
        nodes = BODY.num_joints * samples
    kinds = {
        "joint": {0: nodes},
        "joint_graph": {0: samples},
        "edge": {0: edges},
        "edge_index": {1: edges},
    }
    assert_export_parity(
        case.layer,
        case.batch,
        {name: kinds[case.kinds[name]] for name in case.batch},
        others=[join([case.draw(BODY)] * size, case.kinds) for size in (1, 5)],
    )


def frames(case):
    """The arguments that hold frames."""
    return [
        name
        for name, value in case.batch.items()
        if case.kinds.get(name) in ROWS and value.dim() == 3
    ]


def dynamic_frames(case):
    def batch(num_frames):
        times = torch.arange(num_frames) % T
        return {
            name: value[:, times] if name in frames(case) else value
            for name, value in case.batch.items()
        }

    # A program for a stride of 2 gives at least two frames, and one for a model
    # of the last three frames has others before them.
    any_number = {1: Dim("frames", min=4)}
    assert_export_parity(
        case.layer,
        case.batch,
        {
            name: any_number if name in frames(case) else None
            for name in case.batch
        },
        others=[batch(size) for size in (4, 7, 2 * T)],
    )


# What torch offers: in training mode, whose backward passes recompute, without
# dropout, so that two calls compute the same.


def without_dropout(layer):
    layer = copy.deepcopy(layer)
    for module in layer.modules():
        if hasattr(module, "dropout") and not isinstance(
            module.dropout, Module
        ):
            module.dropout = [0.0] * 9 if module.dropout else module.dropout
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.p = 0.0
    return layer


def trained(case):
    layer = without_dropout(case.layer).train()
    # As torch asks of whoever transforms functions of batch normalisation.
    torch.func.replace_all_batch_norm_modules_(layer)
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


def partial_gradients(case):
    """Those of any one input or weight are those of all together."""
    layer, total, values = trained(case)
    layer.requires_grad_(False)
    leaves = [*values, *layer.parameters()]
    found, wanted = [], []
    for some in [[leaf] for leaf in leaves] + [leaves]:
        for leaf in some:
            leaf.requires_grad_()
        out = total(*values)
        grads = [None] * len(some)
        if out.requires_grad:
            grads = torch.autograd.grad(out, some, allow_unused=True)
        (found if some is not leaves else wanted).extend(grads)
        for leaf in some:
            leaf.requires_grad_(False)
    for alone, together in zip(found, wanted, strict=True):
        torch.testing.assert_close(alone, together, rtol=1e-9, atol=1e-9)


class Called(Module):
    """Another module in the place of one."""

    def __init__(self, module, factor=1.0):
        super().__init__()
        self.module, self.factor = module, factor

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("module"), name)

    def forward(self, *args, **kwargs):
        return scaled(self.module(*args, **kwargs), self.factor)


def scaled(out, factor):
    return tree_map(lambda t: factor * t, out)


def with_weights(case, layer):
    """The modules within that have weights of their own and a task."""
    return {
        name: module
        for name, module in layer.named_modules()
        if name
        and [*module.parameters(recurse=False)]
        and not (case.way == "edges" and name.endswith("masked_graph"))
    }


def values_of(layer, inputs):
    with torch.no_grad():
        found = tensors(layer(**inputs))
    return {n: t for n, t in found.items() if t.is_floating_point()}


def replaced_modules(case):
    """What stands in the place of a module, and what hooks return instead of
    its output, is computed with."""
    plain = values_of(case.layer, case.batch)
    layer = copy.deepcopy(case.layer)
    for name, module in with_weights(case, layer).items():
        found = []
        for factor in (1.0, 2.0):
            layer.set_submodule(name, Called(module, factor))
            found.append(values_of(layer, case.batch))
        layer.set_submodule(name, module)
        hook = module.register_forward_hook(
            lambda module, inputs, out: scaled(out, 2.0)
        )
        hooked = values_of(layer, case.batch)
        hook.remove()
        compare(found[0], plain, f"{name} may not be replaced", rtol=1e-9)
        compare(hooked, found[1], f"Hooks of {name} do not act")
        with pytest.raises(AssertionError):
            compare(found[1], plain, f"{name} is not called")


def replaced_in_training(case):
    """All at once, in training mode, with gradients and statistics."""
    layer = without_dropout(case.layer).train()
    other = copy.deepcopy(layer)
    for name in reversed(with_weights(case, other)):
        other.set_submodule(name, Called(other.get_submodule(name)))
    same_in_training(layer, other, case)


def same_in_training(layer, other, case):
    found, wanted = (
        evaluate(each, case.batch, dict(each.named_parameters()))
        | dict(each.named_buffers())
        for each in (other, layer)
    )
    found = {name.replace(".module.", "."): t for name, t in found.items()}
    compare(found, wanted, "Called one by one, modules give", rtol=1e-8)


def without_bias(size):
    norm = BatchNorm1d(size)
    norm.bias = None  # The argument `bias` is newer than torch 2.11.
    return norm


NORMS = {
    "plain": lambda size: BatchNorm1d(size, affine=False),
    "without track": lambda size: BatchNorm1d(size, track_running_stats=False),
    "mean of all": lambda size: BatchNorm1d(size, momentum=None),
    "without bias": without_bias,
    "GroupNorm": lambda size: GroupNorm(1, size),
    "Identity": lambda size: Identity(),
}


def other_norms(case):
    """Another normalisation gives what it gives where it is simply called."""
    for make in NORMS.values():
        layer = without_dropout(case.layer)
        norms = {
            name: module.num_features
            for name, module in layer.named_modules()
            if isinstance(module, BatchNorm1d)
        }
        for name, size in norms.items():
            layer.set_submodule(name, make(size))
        randomise_state(layer).to(case.dtype)
        other = copy.deepcopy(layer)
        for name in norms:
            other.set_submodule(name, Called(other.get_submodule(name)))
        for mode in (True, False):
            same_in_training(layer.train(mode), other.train(mode), case)


def reparametrised_weights(case):
    """By hooks and by `parametrize`."""
    for name, module in {
        "": case.layer,
        **with_weights(case, case.layer),
    }.items():
        for key, weight in module.named_parameters(recurse=False):
            if weight.dim() < 2 or weight.count_nonzero() == 0:
                continue
            wanted = copy.deepcopy(case.layer)
            with torch.no_grad():
                getattr(wanted.get_submodule(name), key).mul_(2)
            hooked, parametrised = (copy.deepcopy(case.layer) for _ in range(2))
            inner = weight_norm(hooked.get_submodule(name), key)
            with torch.no_grad():
                getattr(inner, f"{key}_g").mul_(2)
            inner = parametrised.get_submodule(name)
            parametrizations.weight_norm(inner, key)
            with torch.no_grad():
                getattr(inner.parametrizations, key).original0.mul_(2)
            expected = values_of(wanted, case.batch)
            for way, layer in (("Hooks", hooked), ("Others", parametrised)):
                compare(
                    values_of(layer, case.batch),
                    expected,
                    f"{way} do not reparametrise {name}.{key}",
                )


def threads(case):
    """Layers run in several threads at a time."""
    inputs = case.batch
    wanted = values_of(case.layer, inputs)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(
            lambda _: values_of(case.layer, inputs), range(8)
        ):
            compare(found, wanted, "Threads disturb each other", rtol=0.0)


def hooks(case):
    """Every module with weights of its own is called, and its output is what
    its hooks have seen when the others have run."""
    layer, total, values = trained(case)
    seen = {name: [] for name in with_weights(case, layer)}
    for name, calls in seen.items():
        layer.get_submodule(name).register_forward_hook(
            lambda module, inputs, out, calls=calls: calls.append(tensors(out))
        )
    out = total(*(v.clone().requires_grad_() for v in values))
    for name, calls in seen.items():
        assert calls, f"{name} is a module, but nobody calls it"
    before = {
        n: [{k: t.detach().clone() for k, t in c.items()} for c in calls]
        for n, calls in seen.items()
    }
    counts = {n: len(c) for n, c in seen.items()}
    if out.requires_grad:
        out.backward()
    assert counts == {n: len(c) for n, c in seen.items()}
    for name, calls in seen.items():
        for now, then in zip(calls, before[name], strict=True):
            compare(now, then, f"what {name} returned changes", rtol=0.0)


def gradients(case):
    """Those of inputs and weights agree with finite differences."""
    floating = {
        name: value
        for name, value in case.batch.items()
        if isinstance(value, torch.Tensor) and value.is_floating_point()
    }
    weights = dict(case.layer.named_parameters())

    def total(*values):
        given = dict(zip((*floating, *weights), values, strict=True))
        inputs = {name: given.pop(name) for name in floating}
        out = functional_call(case.layer, given, (), {**case.batch, **inputs})
        return sum(
            (t.flatten() * torch.arange(t.numel()).sin()).sum()
            for t in tensors(out).values()
        )

    leaves = [*floating.values(), *weights.values()]
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    grads = torch.autograd.grad(total(*leaves), leaves, allow_unused=True)
    # A random direction stands for all.
    steps = [1e-8 * torch.randn_like(leaf) for leaf in leaves]
    with torch.no_grad():
        ends = [
            total(
                *(
                    leaf + sign * step
                    for leaf, step in zip(leaves, steps, strict=True)
                )
            )
            for sign in (1, -1)
        ]
    slope = sum(
        (g * s).sum()
        for g, s in zip(grads, steps, strict=True)
        if g is not None
    )
    torch.testing.assert_close(
        2 * slope, ends[0] - ends[1], rtol=1e-4, atol=1e-12
    )


def resetting(case):
    """No earlier weight or statistic remains, and weights that are not drawn
    are as in a new layer."""
    new = dict(case.recipe.make(case.skeleton).named_parameters())
    states = []
    for seed in range(2):
        layer = randomise_state(case.recipe.make(case.skeleton), seed)
        torch.manual_seed(0)
        reset(layer)
        running = layer.state_dict()
        states.append(
            dict(layer.named_parameters())
            | {name: running[name] for name in running if ".running" in name}
        )
    compare(*states, "It keeps its weights", rtol=0.0)
    for name, weight in new.items():
        if (weight == weight.flatten()[0]).all():
            torch.testing.assert_close(states[0][name], weight, msg=name)


def lazy(case):
    """With `in_channels=-1`, it becomes the same layer by loading a state or by
    its first batch, and so do its copies."""

    def make():
        return case.recipe.make(case.skeleton, -1).to(case.dtype).eval()

    new = make()
    assert any(is_lazy(weight) for weight in new.parameters())
    assert_state_round_trip(case.layer, make, case.batch, ["torch"])
    torch.manual_seed(0)
    reset(case.layer)
    wanted = case.layer.state_dict()
    for layer in (copy.deepcopy(new), pickle.loads(pickle.dumps(make())), new):
        layer.to(case.dtype)(**case.batch)
        torch.manual_seed(0)
        reset(layer)
        compare(layer.state_dict(), wanted, "Inferred, it is another", rtol=0.0)
        assert all(w.dtype == case.dtype for w in layer.parameters())
        assert not any(m._forward_pre_hooks for m in layer.modules())


def missing_rows(case):
    """Rows that are not the nodes of whole samples are refused."""
    name = next(n for n, kind in case.kinds.items() if kind in ROWS)
    rows = case.batch[name][:-1]
    with pytest.raises(ValueError, match=rf"(rows|shape).*\[{len(rows)}\b"):
        case.layer(**{**case.batch, name: rows})


def messages(case):
    """Hooks on messages see them, and change nothing."""
    expected, seen = values_of(case.layer, case.batch), []
    layer = copy.deepcopy(case.layer)
    passing = [m for m in layer.modules() if isinstance(m, MessagePassing)]
    for module in passing:
        module.register_message_forward_hook(lambda *args: seen.append(args))
    found = values_of(layer, case.batch)
    compare(found, expected, "Watched, it is another", rtol=1e-9)
    assert len(seen) >= len(passing)


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


TORCH = {
    "function transforms": function_transforms,
    "batched gradients": batched_gradients,
    "penalty": penalty,
    "partial gradients": partial_gradients,
    "hooks": hooks,
    "replaced modules": replaced_modules,
    "replaced in training": replaced_in_training,
    "other norms": other_norms,
    "reparametrised weights": reparametrised_weights,
    "gradients": gradients,
    "resetting": resetting,
    "lazy": lazy,
    "missing rows": missing_rows,
    "messages": messages,
    "double": double,
    "meta": meta,
    "threads": threads,
}
PROPERTIES = {
    **TORCH,
    "permutation": permutation,
    "batch": batch,
    "edge order": edge_order,
    "rigid motion": rigid_motion,
    "compile": compilation,
    "export": export,
    "dynamic samples": dynamic_samples,
    "dynamic rows": dynamic_rows,
    "dynamic edges": dynamic_edges,
    "dynamic frames": dynamic_frames,
    "state": state,
}


# What is captured does not depend on the type of the numbers.
DYNAMIC = {
    "dynamic samples": "plain",
    "dynamic rows": "plain",
    "dynamic edges": "edges",
    "dynamic frames": "plain",
}
CAPTURED = {"compile", "export", *DYNAMIC}
IN_EVERY_WAY = (
    "hooks", "double", "meta", "gradients", "messages", "resetting", "lazy",
)  # fmt: skip


def infers_channels(make):
    return "in_channels" in inspect.signature(make).parameters


def applies(found, way, has):
    if has in found.lacks:
        return False
    if has == "lazy" and not infers_channels(found.make):
        return False
    if has in TORCH:
        return way == "plain" or has in IN_EVERY_WAY
    if has in DYNAMIC:
        return way == DYNAMIC[has] and "export" not in found.lacks
    if has == "permutation":
        return way != "mixed"
    if has == "edge order":
        return "edge_index" in found.ways[way]
    if has == "rigid motion":
        return way == "plain" and len(found.rigid) > 0
    if has == "export" and way in DYNAMIC.values():
        return False  # A program for any size is one for each.
    if has in CAPTURED:
        return way != "plain" or "bodies" not in found.ways
    return True


def cases():
    for name in EXPORTED:
        if name not in RECIPES and name not in NO_LAYERS:
            yield name, "unknown", "unknown", torch.float64
    for name, found in RECIPES.items():
        for way, has in product(found.ways, PROPERTIES):
            if applies(found, way, has):
                yield name, way, has, torch.float64
            if applies(found, way, has) and has not in (*CAPTURED, *TORCH):
                yield name, way, has, torch.float32


@pytest.mark.parametrize(("name", "way", "has", "dtype"), [*cases()], ids=str)
def test_every_layer(name, way, has, dtype):
    PROPERTIES[has](Case(name, way, dtype))


def test_what_is_unknown_fails():
    message = "exports 'WingConv'.* say in RECIPES of .*how to make"
    with pytest.raises(pytest.fail.Exception, match=message):
        recipe_of("WingConv")


def test_tables_are_up_to_date():
    assert {*RECIPES, *NO_LAYERS} == {*EXPORTED}
    for found in RECIPES.values():
        assert {*found.lacks} <= {*PROPERTIES}

"""Layers on skeletons, shapes and batches that are drawn at random, next to
plain formulas in float64: values and gradients.
"""

from typing import NamedTuple

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch

from symgnn_pyg import Skeleton, nn, ops
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.testing import (
    assert_batch_invariant,
    assert_permutation_equivariant,
    randomise_state,
)
from symgnn_pyg.testing.compare import compare
from symgnn_pyg.testing.evaluate import evaluate

# The graphs of a skeleton are numbers of float32.
RTOL = {torch.float32: 1e-4, torch.float64: 1e-6}
LAMBDA = 0.3


# What is drawn ###############################################################


@st.composite
def skeletons(draw, most_joints=60):
    """A tree of joints in any order, in any parts. Some of its edges are
    links, so that several joints have no parent; more links close rings. The
    features that follow are drawn by torch.
    """
    torch.manual_seed(draw(st.integers(0, 999)))
    size = draw(st.integers(1, most_joints))
    joint = st.integers(0, size - 1)
    tree = [(j, draw(st.integers(0, j - 1))) for j in range(1, size)]
    loose = draw(st.sets(joint, max_size=2))
    pairs = draw(st.sets(st.tuples(joint, joint), max_size=3))
    rings = {(max(p), min(p)) for p in pairs if p[0] != p[1]} - {*tree}
    name = draw(st.permutations([f"joint {j}" for j in range(size)]))
    parts = {}
    for joint_name in name:
        part = str(draw(st.integers(0, 9)))
        parts.setdefault(part, []).append(joint_name)

    def named(edges):
        return [(name[a], name[b]) for a, b in edges]

    return Skeleton(
        sorted(name),
        named(edge for edge in tree if edge[0] not in loose),
        parts,
        links=named([edge for edge in tree if edge[0] in loose] + [*rings]),
    )


class Samples(NamedTuple):
    """Samples, each of one of the skeletons; if they are alike, there is one
    skeleton, and the layer is made of it alone.
    """

    skeletons: list[Skeleton]
    kinds: list[int]
    alike: bool

    @property
    def each(self):
        return [self.skeletons[kind] for kind in self.kinds]

    @property
    def skeleton(self):
        return self.skeletons[0] if self.alike else self.skeletons

    @property
    def told(self):
        return {} if self.alike else {"skeleton_type": self.kinds}

    def rows(self, *shape, of="joints"):
        count = sum(getattr(s, f"num_{of}") for s in self.each)
        return randn(count, *shape)


@st.composite
def samples(draw, most_joints=60):
    alike = draw(st.booleans())
    most = 1 if alike else 3
    found = draw(st.lists(skeletons(most_joints), min_size=1, max_size=most))
    kinds = draw(st.lists(st.integers(0, len(found) - 1), max_size=5))
    return Samples(found, kinds, alike)


def randn(*shape):
    return torch.randn(*shape, dtype=torch.double)


dtypes = st.sampled_from([torch.float32, torch.float64])
formulas = st.sampled_from(["auto", *ops.formula_names()])
frames = st.integers(0, 7)
widths = st.integers(1, 9)
hops = st.integers(1, 4)


def check(layer, formula, inputs, dtype):
    """Compares the layer and the formula, which is given the weights by name
    before the inputs.
    """
    weights = {
        name: weight.detach().double().requires_grad_()
        for name, weight in layer.named_parameters()
    }
    expected = evaluate(
        lambda **inputs: formula(weights, **inputs), inputs, weights
    )
    layer = layer.to(dtype)
    inputs = {name: cast(value, dtype) for name, value in inputs.items()}
    found = evaluate(layer, inputs, dict(layer.named_parameters()))
    compare(found, expected, type(layer).__name__, RTOL[dtype])


def cast(value, dtype):
    if isinstance(value, list):
        return [cast(part, dtype) for part in value]
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.to(dtype)
    return value


# Graph convolutions ##########################################################


def normalised(pairs, size):
    """D^-1 A with self-loops."""
    adjacency = torch.eye(size, dtype=torch.double)
    for a, b in pairs:
        adjacency[a, b] = adjacency[b, a] = 1
    return adjacency / adjacency.sum(dim=1, keepdim=True)


def joint_graphs(skeleton, num_hops):
    pairs = skeleton.bones + skeleton.links
    adjacency = normalised(pairs, skeleton.num_joints)
    powers = range(1, num_hops + 1)
    return [torch.linalg.matrix_power(adjacency, power) for power in powers]


def part_graphs(skeleton):
    part = skeleton.joint_to_part.tolist()
    pairs = [(part[a], part[b]) for a, b in skeleton.bones + skeleton.links]
    return [normalised(pairs, skeleton.num_parts)]


def masked(weights, batch, graphs_of):
    """The graphs of each sample, times the masks of its skeleton."""
    found = []
    for kind, skeleton in zip(batch.kinds, batch.each, strict=True):
        key = "" if batch.alike else f"{kind}."
        mask = weights[f"masked_graph.{key}mask"]
        found.append(list(mask * torch.stack(graphs_of(skeleton))))
    return found


def mixed(x, graphs, weight):
    """The sum of A_k X W_k for one sample after another."""
    parts = [x[:0] @ weight[0]]
    for rows, own in zip(
        x.split([g[0].size(0) for g in graphs]), graphs, strict=True
    ):
        stack = torch.stack(own)
        parts.append(torch.einsum("kij,jtc,kcd->itd", stack, rows, weight))
    return torch.cat(parts)


@given(samples(), frames, widths, widths, hops, dtypes, formulas)
def test_joint_graph_conv(batch, t, c, d, num_hops, dtype, formula):
    sizes = [s.num_joints for s in batch.each]
    actional = [randn(v, v).softmax(dim=-1) for v in sizes]
    if batch.alike:
        v = batch.skeletons[0].num_joints
        actional = randn(len(sizes), v, v).softmax(dim=-1)

    def expected(weights, x, actional, **told):
        graphs = masked(weights, batch, lambda s: joint_graphs(s, num_hops))
        for own, matrix in zip(graphs, actional, strict=True):
            own.append(LAMBDA * matrix)
        return mixed(x, graphs, weights["weight"])

    layer = nn.JointGraphConv(
        c, d, batch.skeleton, num_hops=num_hops, lambda_=LAMBDA
    )
    inputs = {"x": batch.rows(t, c), "actional": actional, **batch.told}
    with ops.use(formula):
        check(randomise_state(layer), expected, inputs, dtype)


@given(samples(), frames, widths, widths, dtypes, formulas)
def test_part_graph_conv(batch, t, c, d, dtype, formula):
    def expected(weights, x, **told):
        return mixed(x, masked(weights, batch, part_graphs), weights["weight"])

    layer = randomise_state(nn.PartGraphConv(c, d, batch.skeleton))
    inputs = {"x": batch.rows(t, c, of="parts"), **batch.told}
    with ops.use(formula):
        check(layer, expected, inputs, dtype)


@given(samples(20), st.integers(0, 40), frames, widths, widths, hops, dtypes)
def test_edges(batch, num_edges, t, c, d, num_graphs, dtype):
    """Any, some of them more than once."""

    def formula(weights, x, graphs, edge_index, edge_weight):
        source, target = edge_index
        dense = x.new_zeros(x.size(0), x.size(0), num_graphs)
        dense = dense.index_put((target, source), edge_weight, accumulate=True)
        return torch.einsum("ijk,jtc,kcd->itd", dense, x, weights["weight"])

    x = batch.rows(t, c)
    num_edges = num_edges if len(x) else 0
    inputs = {
        "x": x,
        "graphs": None,
        "edge_index": torch.randint(max(1, len(x)), (2, num_edges)),
        "edge_weight": randn(num_edges, num_graphs),
    }
    check(nn.GraphMixConv(c, d, num_graphs), formula, inputs, dtype)


@given(samples(20), hops)
def test_hops_of_what_pyg_collates(batch, num_hops):
    each = [batch.skeletons[0], *batch.each]
    data = Batch.from_data_list(
        [SkeletonData(randn(s.num_joints, 1), skeleton=s) for s in each]
    )
    edges, weight = nn.hop_edges(data.edge_index, data.num_nodes, num_hops)
    source, target = edges
    dense = torch.zeros(data.num_nodes, data.num_nodes, num_hops)
    dense[target, source] = weight
    expected = [
        torch.block_diag(*hop)
        for hop in zip(*(joint_graphs(s, num_hops) for s in each), strict=True)
    ]
    expected = torch.stack(expected, dim=-1).float()
    torch.testing.assert_close(dense, expected)


# Pooling and kinematics ######################################################


def parts_of(batch):
    """The joints of each part of a batch."""
    first, parts = 0, []
    for skeleton in batch.each:
        for _, joints in skeleton.parts:
            parts.append([first + joint for joint in joints])
        first += skeleton.num_joints
    return parts


@given(samples(), frames, widths, dtypes)
def test_joint_to_part(batch, t, c, dtype):
    def formula(weights, x, **told):
        means = [x[part].mean(dim=0) for part in parts_of(batch)]
        return torch.stack(means) if means else x[:0]

    layer = nn.JointToPart(batch.skeleton)
    check(layer, formula, {"x": batch.rows(t, c), **batch.told}, dtype)


@given(samples(), frames, widths, dtypes)
def test_part_to_joint(batch, t, c, dtype):
    def formula(weights, x, **told):
        part_of = {j: p for p, part in enumerate(parts_of(batch)) for j in part}
        return x[[part_of[joint] for joint in range(len(part_of))]]

    layer = nn.PartToJoint(batch.skeleton)
    inputs = {"x": batch.rows(t, c, of="parts"), **batch.told}
    check(layer, formula, inputs, dtype)


@given(skeletons(), st.integers(0, 3), widths, dtypes)
def test_bones_to_joints(skeleton, num_bodies, c, dtype):
    above = {child: (b, p) for b, (child, p) in enumerate(skeleton.bones)}

    def place(bones, joints, joint):
        if joint not in above:
            return joints[joint]
        bone, parent = above[joint]
        return bones[bone] + place(bones, joints, parent)

    def formula(weights, bones, joints):
        placed = [
            place(b, j, joint)
            for b, j in zip(
                bones.unflatten(0, (num_bodies, skeleton.num_bones)),
                joints.unflatten(0, (num_bodies, skeleton.num_joints)),
                strict=True,
            )
            for joint in range(skeleton.num_joints)
        ]
        return torch.stack(placed) if placed else joints[:0]

    inputs = {
        "bones": randn(num_bodies * skeleton.num_bones, c),
        "joints": randn(num_bodies * skeleton.num_joints, c),
    }
    check(nn.BonesToJoints(skeleton), formula, inputs, dtype)


# Actional graphs #############################################################


def actional(agim, x):
    """Of one sample, pair by pair."""
    h = agim.joint_mlp(x.flatten(1))
    for step in agim.propagations:
        partners = torch.ones(len(h), len(h), 1, dtype=torch.bool)
        if not step.self_pairs:
            partners = (
                partners & ~torch.eye(len(h), dtype=torch.bool)[..., None]
            )
        pairs = step.lin_i(h).unsqueeze(1) + step.lin_j(h)
        q = step.norm(pairs.flatten(0, 1)).relu()
        if step.norm_out is not None:
            q = step.norm_out(step.lin_out(q)).relu()
        q = q.view_as(pairs) * partners
        mean = q.sum(dim=1) / partners.sum(dim=1).clamp(min=1)
        h = step.joint_mlp(mean if step.norm_out else step.lin_out(mean))
    scores = agim.embed_target(h) @ agim.embed_source(h).t()
    return scores.softmax(dim=1)


@given(samples(), st.integers(1, 3), st.integers(0, 2), st.booleans(),
       st.booleans(), dtypes)  # fmt: skip
def test_actional_graph_inference(batch, t, iterations, plain, own, dtype):
    agim = nn.ActionalGraphInference(
        2 * t,
        batch.skeleton,
        hidden_channels=6,
        num_iterations=iterations,
        plain_last=plain,
        self_pairs=own,
    )
    agim = randomise_state(agim).double().eval()
    x = batch.rows(t, 2)
    rows = x.split([s.num_joints for s in batch.each])
    expected = [actional(agim, sample) for sample in rows]
    found = agim.to(dtype)(x.to(dtype), **batch.told)
    compare(
        {str(n): graph for n, graph in enumerate(found)},
        {str(n): graph for n, graph in enumerate(expected)},
        "AGIM",
        RTOL[dtype],
    )


# Properties ##################################################################


@given(skeletons(12), st.integers(1, 3))
def test_order_and_batch_do_not_matter(skeleton, num_samples):
    def make(skeleton):
        layer = nn.MultiScaleGCN(
            skeleton,
            3,
            (4, 5),
            strides=(1, 2),
            fusion=(1,),
            num_hops=2,
            kernel_size=3,
        )
        return randomise_state(layer).double()

    v = skeleton.num_joints
    kinds = {"x": "joint", "actional": "joint_graph"}
    each = [
        {"x": randn(v, 3, 3), "actional": randn(1, v, v).softmax(dim=-1)}
        for _ in range(num_samples)
    ]
    assert_batch_invariant(make(skeleton), each, kinds)
    assert_permutation_equivariant(
        make, skeleton, each[0], kinds, {"output": "joint"}
    )

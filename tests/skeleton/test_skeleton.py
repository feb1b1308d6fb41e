import copy
import json
import pickle
from dataclasses import FrozenInstanceError

import networkx as nx
import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.data import SkeletonData
from symgnn_pyg.nn import DualSymGNN, SymGNN
from symgnn_pyg.skeleton.layouts import LAYOUTS
from symgnn_pyg.transforms import ToBones
from tests.conftest import TINY

CMU26 = Skeleton.get("cmu26")
KINETICS18 = Skeleton.get("kinetics18")

ARM = {
    "joints": ["shoulder", "elbow", "wrist"],
    "bones": [("elbow", "shoulder"), ("wrist", "elbow")],
    "parts": {"upper": ["shoulder"], "fore": ["elbow", "wrist"]},
}
SKELETONS = [Skeleton.get(name) for name in LAYOUTS]
layouts = pytest.mark.parametrize("skeleton", SKELETONS, ids=LAYOUTS)


def edges(edge_index):
    return {frozenset(pair) for pair in edge_index.t().tolist()}


@pytest.mark.parametrize("joint", [3.7, 1.0, None, "3", 26, -1])
def test_index_of_no_joint(joint):
    with pytest.raises(ValueError, match=f"Unknown joint {joint!r}, exp"):
        CMU26.index(joint)


@pytest.mark.parametrize("joint", [np.int64(3), torch.tensor(3), "ltoes"])
def test_index(joint):
    assert CMU26.index(joint) == 3


def test_any_number_of_parts():
    joints = [f"j{i}" for i in range(12)]
    chain = list(zip(joints[1:], joints, strict=False))
    skeleton = Skeleton(joints, chain, parts={j: [j] for j in joints})
    assert skeleton.num_parts == 12
    assert skeleton.part_adjacency().shape == (12, 12)
    assert edges(skeleton.part_edge_index) == edges(skeleton.edge_index)


def test_names_and_indices_are_the_same():
    arm = Skeleton(
        ["shoulder", "elbow", "wrist"],
        [(1, 0), (2, 1)],
        parts={"upper": [0], "fore": [1, 2]},
    )
    assert arm == Skeleton(**ARM)
    assert arm.index("wrist") == arm.index(2) == 2


def test_defaults():
    skeleton = Skeleton(["tip", "base"], [("tip", "base")])
    assert skeleton.centre == 1
    assert skeleton.part_names == ("body",)
    assert skeleton.part_bones == ()
    assert skeleton.part_adjacency().tolist() == [[1.0]]


def test_one_joint():
    skeleton = Skeleton(["point"], [])
    assert skeleton.edge_index.shape == skeleton.bone_index.shape == (2, 0)
    assert skeleton.hop_powers(2).tolist() == [[[1.0]], [[1.0]]]
    with pytest.raises(ValueError, match="'dual' needs a skeleton with bones"):
        skeleton.dual()


@layouts
@pytest.mark.parametrize(
    "twin",
    [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_twins(skeleton, twin):
    other = twin(skeleton)
    assert other == skeleton
    assert hash(other) == hash(skeleton)
    assert other.fingerprint == skeleton.fingerprint
    assert torch.equal(other.edge_index, skeleton.edge_index)


@layouts
def test_dict_round_trip_through_json(skeleton):
    assert Skeleton(**json.loads(json.dumps(skeleton.to_dict()))) == skeleton


def test_dict_round_trip_with_everything():
    skeleton = Skeleton(
        **ARM,
        links=[("wrist", "shoulder")],
        centre="elbow",
        offsets=[[0, 0, 0], [0.3, 0, 0], [0.25, 0, 0]],
        name="arm",
    )
    assert Skeleton(**json.loads(json.dumps(skeleton.to_dict()))) == skeleton


def test_different_skeletons_differ():
    prints = {skeleton.fingerprint for skeleton in SKELETONS}
    assert len(prints) == len(set(SKELETONS)) == len(LAYOUTS)


def test_immutable():
    with pytest.raises(FrozenInstanceError):
        Skeleton(**ARM).name = "leg"


def test_repr():
    assert repr(KINETICS18) == (
        "Skeleton('kinetics18', joints=18, bones=17, parts=10, centre='neck')"
    )


RING = Skeleton(
    ["d", "c", "b", "a", "e"],
    [("c", "b"), ("b", "a"), ("d", "c")],
    parts={"end": ["e"], "hand": ["c", "d"], "arm": ["b", "a"]},
    part_bones=[("hand", "arm"), ("end", "hand"), ("end", "arm")],
    links=[("d", "a"), ("e", "d"), ("e", "b")],
    centre="c",
    offsets=[[0, 1, 0], [0, 0, 2], [0.1, 0, 0], [0, 0, 0], [0.3, 0.2, 0.1]],
    name="ring",
)


@pytest.mark.parametrize("key", ["links", "part_bones"])
def test_order_of_undirected_pairs_means_nothing(key):
    given = RING.to_dict()
    for pairs in ([pair[::-1] for pair in given[key]], given[key][::-1]):
        other = Skeleton(**{**given, key: pairs})
        assert other == RING
        assert hash(other) == hash(RING)
        assert other.fingerprint == RING.fingerprint


def test_order_of_joints_in_a_part_means_nothing():
    given = RING.to_dict()
    parts = {name: joints[::-1] for name, joints in given["parts"].items()}
    assert Skeleton(**{**given, "parts": parts}) == RING


def test_order_of_bones_is_that_of_their_features():
    """The joints' graph is the same, the bones' is not."""
    given = RING.to_dict()
    other = Skeleton(**{**given, "bones": given["bones"][::-1]})
    assert other.fingerprint == RING.fingerprint
    assert other != RING
    assert other.dual().fingerprint != RING.dual().fingerprint


def test_fingerprint_tells_child_from_parent():
    one, other = (Skeleton(["a", "b"], [bone]) for bone in ((0, 1), (1, 0)))
    assert one.fingerprint != other.fingerprint


def test_fingerprint_leaves_out_name_and_offsets():
    plain = Skeleton(**ARM)
    other = Skeleton(**ARM, name="arm", offsets=[[0, 1, 2]] * 3)
    assert plain.fingerprint == other.fingerprint
    assert plain != other


@pytest.mark.parametrize(
    "change",
    [
        {"joints": ["shoulder", "elbow", "hand"], "parts": None,
         "bones": [(1, 0), (2, 1)]},
        {"links": [(2, 0)]},
        {"parts": {"upper": [0, 1], "fore": [2]}},
        {"part_bones": []},
    ],
    ids=["joints", "links", "parts", "part_bones"],
)  # fmt: skip
def test_fingerprint_tells_graphs_apart(change):
    changed = Skeleton(**{**ARM, **change})
    assert changed.fingerprint != Skeleton(**ARM).fingerprint


def test_fingerprint_has_63_bits():
    assert all(0 <= each.fingerprint < 2**63 for each in SKELETONS)


def test_from_bones():
    skeleton = Skeleton.from_bones(
        [("elbow", "shoulder"), ("wrist", "elbow")],
        parts=ARM["parts"],
    )
    assert skeleton == Skeleton(**ARM)


@layouts
def test_edges_are_bones_and_links_both_ways(skeleton):
    edges = set(map(tuple, skeleton.edge_index.t().tolist()))
    pairs = set(skeleton.bones + skeleton.links)
    assert edges == pairs | {(b, a) for a, b in pairs}
    assert len(edges) == skeleton.edge_index.size(1)


@layouts
@pytest.mark.parametrize("dual", [False, True])
def test_hop_powers(skeleton, dual):
    skeleton = skeleton.dual() if dual else skeleton
    hops = skeleton.hop_powers(4)
    graph = nx.Graph(skeleton.bones + skeleton.links)
    adjacency = torch.from_numpy(
        nx.to_numpy_array(graph, range(skeleton.num_joints))
    )
    adjacency += torch.eye(skeleton.num_joints)
    step = torch.diag(1 / adjacency.sum(dim=1)) @ adjacency
    powers = [torch.linalg.matrix_power(step, k) for k in range(1, 5)]
    # They are rounded once.
    torch.testing.assert_close(
        hops.double(), torch.stack(powers), rtol=2**-24, atol=0
    )
    torch.testing.assert_close(
        hops.sum(dim=-1), torch.ones(4, skeleton.num_joints)
    )


@pytest.mark.parametrize("num_hops", [0, -1])
def test_hop_powers_of_no_hop(num_hops):
    with pytest.raises(ValueError, match=f"'num_hops'.*got {num_hops}"):
        CMU26.hop_powers(num_hops)


@layouts
def test_part_adjacency(skeleton):
    adjacency = skeleton.part_adjacency()
    torch.testing.assert_close(
        adjacency.sum(dim=1), torch.ones(skeleton.num_parts)
    )
    near = {tuple(pair) for pair in adjacency.nonzero().tolist()}
    pairs = {p for a, b in skeleton.part_bones for p in ((a, b), (b, a))}
    assert near == pairs | {(i, i) for i in range(skeleton.num_parts)}


@layouts
def test_joint_to_part(skeleton):
    index = skeleton.joint_to_part
    for part, (_, joints) in enumerate(skeleton.parts):
        assert (index == part).nonzero().flatten().tolist() == sorted(joints)


@layouts
def test_dual_is_the_line_graph(skeleton):
    dual = skeleton.dual()
    line = nx.line_graph(nx.Graph(skeleton.bones))
    bone = [frozenset(pair) for pair in skeleton.bones]
    assert {frozenset(node) for node in line} == set(bone)
    assert dual.num_joints == skeleton.num_bones
    found = {
        frozenset((bone[a], bone[b])) for a, b in dual.edge_index.t().tolist()
    }
    assert found == {
        frozenset((frozenset(a), frozenset(b))) for a, b in line.edges
    }


@layouts
def test_dual_names_and_parts(skeleton):
    dual = skeleton.dual()
    part_of = skeleton.joint_to_part
    for i, (child, parent) in enumerate(skeleton.bones):
        ends = skeleton.joints[child], skeleton.joints[parent]
        assert dual.joints[i] == "-".join(ends)
        part = dual.part_names[int(dual.joint_to_part[i])]
        assert part == skeleton.part_names[int(part_of[child])]


def test_dual_without_torso_stays_connected():
    skeleton = KINETICS18
    dual = skeleton.dual()
    assert set(skeleton.part_names) - set(dual.part_names) == {"torso"}
    graph = nx.Graph(dual.part_bones)
    assert set(graph) == set(range(9))
    assert nx.is_connected(graph)


def touching(skeleton, a, b):
    """The pairs of different bones that touch the joints a and b."""
    bones = [set(bone) for bone in skeleton.bones]
    at = [[i for i, bone in enumerate(bones) if j in bone] for j in (a, b)]
    return {frozenset((i, j)) for i in at[0] for j in at[1] if i != j}


TIED = Skeleton(
    list("abcdefg"),
    [("b", "a"), ("d", "c"), ("e", "d")],
    parts={"one": "ab", "two": "cde", "three": "fg"},
    links=[("c", "b"), ("e", "f"), ("f", "g"), ("g", "a")],
)


@pytest.mark.parametrize("skeleton", [TIED, RING], ids=["tied", "ring"])
def test_bones_at_the_ends_of_a_link_are_neighbours(skeleton):
    at = skeleton.joints.index
    ends = [(j, j) for j in range(skeleton.num_joints)]
    ends += skeleton.links
    # On a way through joints without bones, those at its ends.
    ends += [(at("e"), at("a"))] if skeleton is TIED else [(0, 2)]
    expected = set().union(*(touching(skeleton, a, b) for a, b in ends))
    assert edges(skeleton.bone_edge_index) == expected
    assert edges(skeleton.dual().edge_index) == expected
    assert nx.is_connected(nx.Graph(skeleton.bone_edge_index.t().tolist()))


def test_two_trees_that_a_link_ties():
    skeleton = Skeleton(
        list("abcd"), [("b", "a"), ("d", "c")], links=[("c", "a")]
    )
    dual = skeleton.dual()
    assert dual.joints == ("b-a", "d-c")
    assert (dual.bones, dual.links) == ((), ((0, 1),))


@pytest.mark.parametrize("skeleton", [TIED, RING], ids=["tied", "ring"])
def test_data_of_a_skeleton_with_links(skeleton):
    x = torch.randn(skeleton.num_joints, 4, 3)
    data = SkeletonData(x=x, skeleton=skeleton)
    assert torch.equal(data.bone_edge_index, skeleton.bone_edge_index)
    bones = ToBones()(data)
    assert bones.skeleton == skeleton.dual()
    assert edges(bones.edge_index) == edges(skeleton.bone_edge_index)
    assert torch.equal(bones.x, data.bone_x)


def test_dual_network_of_a_skeleton_with_links():
    networks = [SymGNN(s, 2, **TINY) for s in (TIED, TIED.dual())]
    model = DualSymGNN(*networks).eval()
    data = SkeletonData(x=torch.randn(7, 8, 3), skeleton=TIED)
    out = model(data.x, data.bone_x)
    assert out.logits.shape == (1, 2)
    assert out.future.shape == (7, 2, 3)
    assert out.future.isfinite().all()


def test_dual_is_kept():
    skeleton = CMU26
    assert skeleton.dual() is skeleton.dual()
    assert copy.deepcopy(skeleton).dual() == skeleton.dual()

import copy
import json
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import networkx as nx
import pytest
import torch

from symgnn_pyg import Skeleton
from symgnn_pyg.layouts import LAYOUTS

ARM = {
    "joints": ["shoulder", "elbow", "wrist"],
    "bones": [("elbow", "shoulder"), ("wrist", "elbow")],
    "parts": {"upper": ["shoulder"], "fore": ["elbow", "wrist"]},
}
HALVES = {"upper": ["shoulder"], "fore": ["elbow"]}
layouts = pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=LAYOUTS)


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"joints": []}, "at least one joint"),
        ({"joints": ["elbow", "wrist", "elbow"]}, "'elbow' is named twice"),
        (
            {
                "bones": [
                    ("elbow", "shoulder"),
                    ("shoulder", "wrist"),
                    ("wrist", "elbow"),
                ]
            },
            r"cycle: .*elbow -> shoulder",
        ),
        (
            {"bones": [("elbow", "shoulder"), ("elbow", "wrist")]},
            "'elbow' has two parents, 'shoulder' and 'wrist'",
        ),
        (
            {"bones": [("elbow", "shoulder"), ("wrist", "hip")]},
            r"'hip' in bone \('wrist', 'hip'\)",
        ),
        (
            {"bones": [("elbow", "shoulder"), (2, 3)]},
            r"Unknown joint 3 in bone \(2, 3\)",
        ),
        (
            {"bones": [("elbow", "shoulder"), (-1, 1)]},
            r"Unknown joint -1 in bone",
        ),
        (
            {"bones": [("elbow", "elbow")]},
            "A bone ties the joint 'elbow' to itself",
        ),
        (
            {"bones": [("elbow", "shoulder"), (1, 0)]},
            r"The bone \(1, 0\) is given twice",
        ),
        (
            {"bones": [("elbow", "shoulder")]},
            "ties 'wrist' to the centre 'shoulder'",
        ),
        (
            {"links": [("wrist", "ear")]},
            r"'ear' in link \('wrist', 'ear'\)",
        ),
        ({"links": [("wrist", 2)]}, "A link ties the joint 'wrist'"),
        (
            {"links": [(0, 2), (2, 0)]},
            r"The link \(2, 0\) is given twice",
        ),
        (
            {"part_bones": [(0, 1), ("fore", "upper")]},
            r"The part bone \('fore', 'upper'\) is given twice",
        ),
        ({"centre": "hip"}, "'hip' as 'centre'"),
        ({"centre": 3}, "Unknown joint 3 as 'centre'"),
        ({"parts": {**HALVES, "tail": ["tip"]}}, "'tip' in part 'tail'"),
        (
            {"parts": {**ARM["parts"], "joint": ["elbow"]}},
            "'elbow' is in two parts, 'fore' and 'joint'",
        ),
        ({"parts": HALVES}, "No part holds 'wrist'"),
        ({"parts": {**ARM["parts"], "none": []}}, "'none' has no joints"),
        ({"parts": {}}, "one to ten parts, got 0"),
        (
            {"part_bones": [("upper", "leg")]},
            r"Unknown part 'leg' in part bone \('upper', 'leg'\)",
        ),
        ({"part_bones": [("fore", 1)]}, "the part 'fore' to itself"),
        ({"offsets": [[0, 0, 0]] * 2}, "each of the 3 joints"),
        ({"offsets": [[0, 0]] * 3}, "three numbers"),
    ],
)
def test_error_names_culprit(change, culprit):
    with pytest.raises(ValueError, match=culprit):
        Skeleton(**{**ARM, **change})


def test_eleven_parts():
    joints = [f"j{i}" for i in range(11)]
    with pytest.raises(ValueError, match="ten parts, got 11"):
        Skeleton(
            joints,
            list(zip(joints[1:], joints, strict=False)),
            parts={j: [j] for j in joints},
        )


def test_unknown_layout():
    with pytest.raises(ValueError, match=r"'ntu26'; there are 'ntu25'"):
        Skeleton.get("ntu26")


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
    with pytest.raises(ValueError, match="no bones, and so no dual"):
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
    prints = {skeleton.fingerprint for skeleton in LAYOUTS.values()}
    assert len(prints) == len(set(LAYOUTS.values())) == 4


def test_immutable():
    with pytest.raises(FrozenInstanceError):
        Skeleton(**ARM).name = "leg"


def test_repr():
    assert repr(Skeleton.get("kinetics18")) == (
        "Skeleton('kinetics18', joints=18, bones=17, parts=10, centre='neck')"
    )


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


def test_fingerprint_is_stable_across_processes():
    code = (
        "from symgnn_pyg.layouts import LAYOUTS\n"
        "print(*(s.fingerprint for s in LAYOUTS.values()))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
    )
    prints = [skeleton.fingerprint for skeleton in LAYOUTS.values()]
    assert [int(word) for word in out.stdout.split()] == prints
    assert all(0 <= number < 2**63 for number in prints)


def named_bones(skeleton):
    name = skeleton.joints
    return {(name[child], name[parent]) for child, parent in skeleton.bones}


def named_parts(skeleton):
    return {
        part: {skeleton.joints[j] for j in joints}
        for part, joints in skeleton.parts
    }


def assert_same_graph(one, other):
    assert one.joints == other.joints
    assert named_bones(one) == named_bones(other)
    assert named_parts(one) == named_parts(other)
    assert {frozenset(link) for link in one.links} == {
        frozenset(link) for link in other.links
    }
    assert one.centre == other.centre
    assert one.name == other.name


@layouts
def test_networkx_round_trip(skeleton):
    again = Skeleton.from_networkx(skeleton.to_networkx())
    assert_same_graph(again, skeleton)


@layouts
def test_networkx_round_trip_of_dual(skeleton):
    dual = skeleton.dual()
    assert_same_graph(Skeleton.from_networkx(dual.to_networkx()), dual)


@layouts
@pytest.mark.parametrize("dual", [False, True])
def test_undirected_networkx(skeleton, dual):
    skeleton = skeleton.dual() if dual else skeleton
    graph = skeleton.to_networkx().to_undirected()
    centre = skeleton.joints[skeleton.centre]
    again = Skeleton.from_networkx(graph, centre=centre)
    assert_same_graph(again, skeleton)


def test_undirected_networkx_finds_centre():
    path = nx.path_graph(["toe", "knee", "hip", "belly", "neck"])
    skeleton = Skeleton.from_networkx(path, name="path")
    assert skeleton.joints[skeleton.centre] == "hip"
    assert ("toe", "knee") in named_bones(skeleton)
    assert skeleton.name == "path"


def test_undirected_networkx_ring_closed_by_link():
    graph = nx.path_graph("abcd")
    graph.add_edge("d", "a", link=True)
    skeleton = Skeleton.from_networkx(graph, centre="a")
    assert named_bones(skeleton) == {("b", "a"), ("c", "b"), ("d", "c")}
    assert len(skeleton.links) == 1


def test_networkx_errors():
    with pytest.raises(ValueError, match="at least one joint"):
        Skeleton.from_networkx(nx.Graph())
    apart = nx.path_graph(["a", "b"])
    apart.add_node("c")
    with pytest.raises(ValueError, match="'c' is not connected"):
        Skeleton.from_networkx(apart, centre="a")
    with pytest.raises(ValueError, match="'hip' as 'centre'; there are a, b"):
        Skeleton.from_networkx(nx.path_graph("ab"), centre="hip")
    ring = nx.cycle_graph("abcd")
    with pytest.raises(ValueError, match=r"two parents.*'links'"):
        Skeleton.from_networkx(ring, centre="a")


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


@pytest.mark.parametrize("link", [(0, 1), (1, 0)])
def test_a_bone_is_no_link_as_well(link):
    with pytest.raises(ValueError, match=r"link \('.*elbow.*'\) is a bone"):
        Skeleton(**ARM, links=[link])


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
    torch.testing.assert_close(hops, torch.stack(powers).float())
    torch.testing.assert_close(
        hops.sum(dim=-1), torch.ones(4, skeleton.num_joints)
    )


@pytest.mark.parametrize("num_hops", [0, -1])
def test_hop_powers_of_no_hop(num_hops):
    with pytest.raises(ValueError, match=f"'num_hops'.*got {num_hops}"):
        Skeleton.get("cmu26").hop_powers(num_hops)


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
    skeleton = Skeleton.get("kinetics18")
    dual = skeleton.dual()
    assert set(skeleton.part_names) - set(dual.part_names) == {"torso"}
    graph = nx.Graph(dual.part_bones)
    assert set(graph) == set(range(9))
    assert nx.is_connected(graph)


def test_dual_is_kept():
    skeleton = Skeleton.get("cmu26")
    assert skeleton.dual() is skeleton.dual()
    assert copy.deepcopy(skeleton).dual() == skeleton.dual()

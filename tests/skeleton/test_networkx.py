import networkx as nx
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton.layouts import LAYOUTS
from tests.skeleton import test_skeleton

RING = test_skeleton.RING

ARM = Skeleton(**test_skeleton.ARM)
SKELETONS = [Skeleton.get(name) for name in LAYOUTS]
layouts = pytest.mark.parametrize("skeleton", SKELETONS, ids=LAYOUTS)


def named_bones(skeleton):
    name = skeleton.joints
    return {(name[child], name[parent]) for child, parent in skeleton.bones}


ALL = [
    *SKELETONS,
    *(s.dual() for s in SKELETONS),
]


@pytest.mark.parametrize("skeleton", [*ALL, RING, RING.dual()], ids=str)
def test_networkx_round_trip(skeleton):
    again = Skeleton.from_networkx(skeleton.to_networkx())
    assert again == skeleton
    assert again.fingerprint == skeleton.fingerprint


def test_networkx_keeps_what_is_given_anew():
    again = Skeleton.from_networkx(
        RING.to_networkx(), "b", part_bones=[], offsets=None, name="other"
    )
    assert again.joints[again.centre] == "b"
    assert (again.part_bones, again.offsets) == ((), None)
    assert again.name == "other"
    assert (again.bones, again.parts) == (RING.bones, RING.parts)


def test_networkx_with_another_joint():
    graph = ARM.to_networkx()
    graph.add_node("finger", part="hand")
    graph.add_edge("finger", "wrist")
    skeleton = Skeleton.from_networkx(graph, part_bones=None)
    assert skeleton.joints == (*ARM.joints, "finger")
    assert skeleton.part_names == ("upper", "fore", "hand")
    assert skeleton.bones == ((1, 0), (2, 1), (3, 2))
    graph.nodes["finger"]["offset"] = [0, 0, 1]
    with pytest.raises(ValueError, match="none for joint 'shoulder'"):
        Skeleton.from_networkx(graph)


@layouts
@pytest.mark.parametrize("dual", [False, True])
def test_undirected_networkx(skeleton, dual):
    skeleton = skeleton.dual() if dual else skeleton
    graph = skeleton.to_networkx().to_undirected()
    centre = skeleton.joints[skeleton.centre]
    again = Skeleton.from_networkx(graph, centre=centre)
    assert again == skeleton


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


def test_edges_with_bones_of_their_own():
    """Only numbers tell the order of bones."""
    graph = nx.DiGraph([("b", "a"), ("c", "a")])
    graph.edges["b", "a"]["bone"] = "humerus"
    assert Skeleton.from_networkx(graph).bones == ((0, 1), (2, 1))


def test_networkx_errors():
    with pytest.raises(ValueError, match="at least one joint"):
        Skeleton.from_networkx(nx.Graph())
    apart = nx.path_graph(["a", "b"])
    apart.add_node("c")
    with pytest.raises(ValueError, match="'c' must be connected"):
        Skeleton.from_networkx(apart, centre="a")
    with pytest.raises(ValueError, match=r"'hip' as 'centre', .* one of a, b"):
        Skeleton.from_networkx(nx.path_graph("ab"), centre="hip")
    ring = nx.cycle_graph("abcd")
    with pytest.raises(ValueError, match=r"two parents.*'links'"):
        Skeleton.from_networkx(ring, centre="a")

import networkx as nx
import pytest

from symgnn_pyg import Skeleton
from symgnn_pyg.skeleton import paths_to_roots
from symgnn_pyg.skeleton.layouts import LAYOUTS


@pytest.mark.parametrize("name", LAYOUTS)
def test_paths_follow_bones_to_the_root(name):
    skeleton = Skeleton.get(name)
    (root,) = {*range(skeleton.num_joints)} - dict(skeleton.bones).keys()
    upwards = nx.shortest_path(nx.DiGraph(skeleton.bones), target=root)
    for joint, path in enumerate(paths_to_roots(skeleton)):
        assert path == upwards[joint]


def test_a_joint_attached_by_a_link_is_a_root():
    ring = Skeleton("abc", [(2, 1)], links=[(0, 1)])
    assert paths_to_roots(ring) == [[0], [1], [2, 1]]

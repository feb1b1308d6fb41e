"""The skeletons of data sets against the numbers that the field uses."""

import pytest
import torch

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.layouts import CMU26_IN_38, H36M20_IN_32

CMU26 = Skeleton.get("cmu26")
CMU38 = Skeleton.get("cmu38")

# Pairs of joints counted from 1, as papers and data sets print them.
EDGES = {
    "ntu25": """1-2 2-21 3-21 4-3 5-21 6-5 7-6 8-7 9-21 10-9 11-10 12-11
        13-1 14-13 15-14 16-15 17-1 18-17 19-18 20-19 22-23 23-8 24-25
        25-12""",
    "kinetics18": """5-4 4-3 8-7 7-6 14-13 13-12 11-10 10-9 12-6 9-3 6-2 3-2
        1-2 16-1 15-1 18-16 17-15""",
    "h36m20": """1-2 2-3 3-4 5-6 6-7 7-8 1-9 5-9 9-10 10-11 11-12 10-13 13-14
        14-15 15-16 10-17 17-18 18-19 19-20""",
    "h36m32": """2-1 3-2 4-3 5-4 6-5 7-1 8-7 9-8 10-9 11-10 12-1 13-12 14-13
        15-14 16-15 17-13 18-17 19-18 20-19 21-20 22-21 23-20 24-23 25-13
        26-25 27-26 28-27 29-28 30-29 31-28 32-31""",
    "cmu26": """1-2 2-3 3-4 5-6 6-7 7-8 1-9 5-9 9-10 10-11 11-12 12-13 13-14
        11-15 15-16 16-17 17-18 18-19 17-20 11-21 21-22 22-23 23-24 24-25
        23-26""",
    "cmu38": """2-1 3-2 4-3 5-4 6-5 7-6 8-1 9-8 10-9 11-10 12-11 13-12
        14-1 15-14 16-15 17-16 18-17 19-18 20-19 21-16 22-21 23-22 24-23
        25-24 26-25 27-26 28-24 29-28 30-16 31-30 32-31 33-32 34-33 35-34
        36-35 37-33 38-37""",
}
PARTS = {
    "cmu26": [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9, 10], [11, 12, 13],
              [14, 15], [16, 17, 18, 19], [20, 21], [22, 23, 24, 25]],
    "h36m20": [[i, i + 1] for i in range(0, 20, 2)],
    "h36m32": [[1, 2], [3, 4, 5], [6, 7], [8, 9, 10], [0, 11, 12],
               [13, 14, 15], [16, 17], [*range(18, 24)], [24, 25],
               [*range(26, 32)]],
    "ntu25": [[12, 13], [14, 15], [16, 17], [18, 19], [0, 1, 20], [2, 3],
              [4, 5], [6, 7, 21, 22], [8, 9], [10, 11, 23, 24]],
    "kinetics18": [[11, 12], [13], [8, 9], [10], [1], [0, 14, 15, 16, 17],
                   [5, 6], [7], [2, 3], [4]],
    "cmu38": [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12],
              [0, 13, 14, 15], [16, 17, 18, 19],
              [20, 21, 22], [23, 24, 25, 26, 27, 28],
              [29, 30, 31], [32, 33, 34, 35, 36, 37]],
}  # fmt: skip
PART_EDGES = "0-1 2-3 0-4 2-4 4-5 4-6 6-7 4-8 8-9"
NAMES = [
    "left thigh", "left crus", "right thigh", "right crus", "torso", "head",
    "left upper arm", "left forearm", "right upper arm", "right forearm",
]  # fmt: skip
USED = [*range(2, 6), *range(8, 12), *range(13, 19), *range(21, 26), 27,
        *range(30, 35), 36]  # fmt: skip
layouts = pytest.mark.parametrize("name", EDGES)


def pairs(text, base=0):
    return {
        frozenset(int(end) - base for end in pair.split("-"))
        for pair in text.split()
    }


@layouts
def test_bones(name):
    skeleton = Skeleton.get(name)
    assert {frozenset(b) for b in skeleton.bones} == pairs(EDGES[name], 1)
    assert skeleton.num_bones == skeleton.num_joints - 1
    assert skeleton.num_joints == int(name[-2:])
    assert not skeleton.links


@pytest.mark.parametrize("name", ["ntu25", "kinetics18"])
def test_published_bones_point_from_child_to_parent(name):
    published = [
        tuple(int(end) - 1 for end in pair.split("-"))
        for pair in EDGES[name].split()
    ]
    assert set(Skeleton.get(name).bones) == set(published)


@layouts
def test_bones_lead_to_one_root(name):
    skeleton = Skeleton.get(name)
    children = {child for child, _ in skeleton.bones}
    roots = set(range(skeleton.num_joints)) - children
    assert roots == {skeleton.centre}


@layouts
def test_parts(name):
    skeleton = Skeleton.get(name)
    assert [sorted(joints) for _, joints in skeleton.parts] == PARTS[name]
    found = {frozenset(pair) for pair in skeleton.part_bones}
    assert found == pairs(PART_EDGES)


@layouts
def test_part_names(name):
    names = list(Skeleton.get(name).part_names)
    legs = [2, 3, 0, 1] if name.startswith("h36m") else [0, 1, 2, 3]
    assert names == [NAMES[i] for i in legs] + NAMES[4:]


@pytest.mark.parametrize(
    ("name", "centre"), [("ntu25", "spine"), ("kinetics18", "neck")]
)
def test_published_centre(name, centre):
    skeleton = Skeleton.get(name)
    assert skeleton.joints[skeleton.centre] == centre


def test_cmu_joints_in_the_file():
    assert list(CMU26_IN_38) == USED
    assert CMU38.num_joints == 38
    assert [CMU38.joints[j] for j in USED] == list(CMU26.joints)
    dropped = [j for i, j in enumerate(CMU38.joints) if i not in USED]
    ends = [j for j in dropped if j.endswith("end")]
    assert set(dropped) - set(ends) == {
        "root", "lhipjoint", "rhipjoint", "lclavicle", "rclavicle",
    }  # fmt: skip


in_file = pytest.mark.parametrize(
    ("name", "whole", "kept", "closing"),
    [
        ("cmu26", "cmu38", CMU26_IN_38, ("lfemur", "rfemur")),
        ("h36m20", "h36m32", H36M20_IN_32, ("LeftUpLeg", "RightUpLeg")),
    ],
)


@in_file
def test_parts_are_those_of_the_joints_that_are_kept(
    name, whole, kept, closing
):
    used, every = Skeleton.get(name), Skeleton.get(whole)
    assert [every.joints[j] for j in kept] == list(used.joints)
    assert torch.equal(every.joint_to_part[list(kept)], used.joint_to_part)
    assert every.part_bones == used.part_bones


@in_file
def test_bones_follow_the_file(name, whole, kept, closing):
    """A bone of the used joints is a path of the whole tree, except where the
    legs close over the root."""
    used, every = Skeleton.get(name), Skeleton.get(whole)
    parent = dict(every.bones)
    for child, up in used.bones:
        at = parent[kept[child]]
        while at in parent and at not in kept:
            at = parent[at]
        closes = used.joints[child] in closing
        assert (at == every.centre) == closes
        assert closes or at == kept[up]


@pytest.mark.parametrize("name", [None, 26, CMU26])
def test_names_are_text(name):
    with pytest.raises(TypeError, match="Expected the name of a built-in"):
        Skeleton.get(name)

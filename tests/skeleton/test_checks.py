import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from symgnn_pyg import Skeleton
from tests.skeleton.test_skeleton import ARM

HALVES = {"upper": ["shoulder"], "fore": ["elbow"]}


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"joints": []}, "at least one joint"),
        ({"joints": ["elbow", "wrist", "elbow"]}, "'elbow' is given twice"),
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
            "A bone must connect two .* got joint 'elbow' twice",
        ),
        (
            {"bones": [("elbow", "shoulder"), (1, 0)]},
            r"The bone \(1, 0\) is given twice",
        ),
        (
            {"bones": [("elbow", "shoulder")]},
            "connect 'wrist' to the centre 'shoulder'",
        ),
        (
            {"links": [("wrist", "ear")]},
            r"'ear' in link \('wrist', 'ear'\)",
        ),
        (
            {"links": [("wrist", 2)]},
            "A link must connect .* joint 'wrist' twice",
        ),
        (
            {"links": [(0, 2), (2, 0)]},
            r"The link \(2, 0\) is given twice",
        ),
        (
            {"part_bones": [(0, 1), ("fore", "upper")]},
            r"The part bone \('fore', 'upper'\) is given twice",
        ),
        (
            {"bones": torch.tensor([[1, 2], [0, 1]])},
            r"Bones must be \(child, parent\) pairs, got an array of shape "
            r"\[2, 2\]: pass edge_index\.t\(\)\.tolist\(\)",
        ),
        ({"bones": np.array([[1, 2, 0], [0, 1, 2]])}, r"array of shape \[2, 3"),
        (
            {"bones": list(torch.tensor([[1, 2], [0, 1]]))},
            r"Bones must be \(child, parent\) pairs, got tensor\(\[1, 2\]\)",
        ),
        ({"bones": [[1, 2, 0], [0, 1, 2]]}, r"pairs, got \[1, 2, 0\]"),
        ({"bones": [1, 0]}, "pairs, got 1"),
        ({"bones": ["ba"]}, "pairs, got 'ba'"),
        ({"bones": [(1, 0), (2, 1.0)]}, r"joint 1\.0 in bone \(2, 1\.0\)"),
        ({"links": torch.ones(1, 2)}, r"Links must be \(joint, joint\) pairs"),
        (
            {"part_bones": torch.ones(2, 1)},
            r"Part bones must be \(part, part\) pairs",
        ),
        ({"centre": 1.5}, r"Unknown joint 1\.5 as 'centre'"),
        ({"centre": "hip"}, "'hip' as 'centre'"),
        ({"centre": 3}, "Unknown joint 3 as 'centre'"),
        ({"parts": {**HALVES, "tail": ["tip"]}}, "'tip' in part 'tail'"),
        (
            {"parts": {**ARM["parts"], "joint": ["elbow"]}},
            "'elbow' is in two parts, 'fore' and 'joint'",
        ),
        ({"parts": HALVES}, "in a part, got none for 'wrist'"),
        ({"parts": {**ARM["parts"], "none": []}}, "'none' has no joints"),
        ({"parts": {}}, "none for 'shoulder', 'elbow', 'wrist'"),
        (
            {"part_bones": [("upper", "leg")]},
            r"Unknown part 'leg' in part bone \('upper', 'leg'\)",
        ),
        (
            {"part_bones": [("fore", 1)]},
            "two different parts, got part 'fore' twice",
        ),
        (
            {"offsets": [[0, 0, 0]] * 2},
            r"shape \[3, 3\], got 2 offsets of \[3\] numbers",
        ),
        ({"offsets": [[0, 0]] * 3}, r"got 3 offsets of \[2\] numbers"),
        (
            {"offsets": [[0, 0, 0], [0, math.nan, 0], [0, 0, 0]]},
            r"joint 'elbow' must be finite, got \(0\.0, nan, 0\.0\)",
        ),
        (
            {"offsets": [[0, 0, math.inf]] * 3},
            "of joint 'shoulder' must be fin",
        ),
    ],
)
def test_error_names_culprit(change, culprit):
    with pytest.raises(ValueError, match=culprit):
        Skeleton(**{**ARM, **change})


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"joints": {*ARM["joints"]}}, "'joints' in the order of your arrays"),
        ({"parts": [["shoulder", "elbow"], ["wrist"]]}, "'parts' as a dict"),
    ],
)
def test_other_types(change, culprit):
    with pytest.raises(TypeError, match=culprit):
        Skeleton(**{**ARM, **change})


@pytest.mark.parametrize("link", [(0, 1), (1, 0)])
def test_a_bone_is_no_link_as_well(link):
    with pytest.raises(ValueError, match=r"link \('.*elbow.*'\) is a bone al"):
        Skeleton(**ARM, links=[link])


def test_names_are_compared_once():
    """Else a file of many joints takes hours."""
    compared = 0

    class Name(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    joints = [f"j{i}" for i in range(300)]
    bones = [(Name(b), Name(a)) for a, b in pairwise(joints)]
    Skeleton(joints, bones, parts={"all": [*map(Name, joints)]})
    assert compared <= 10 * len(joints)


@pytest.mark.parametrize(
    "change",
    [
        {"joints": ["a", "b\x1b[2J"]},
        {"name": "\x07"},
        {"parts": {"\n": [0, 1]}},
    ],
)
def test_names_with_control_characters(change):
    arguments = {"joints": ["a", "b"], "bones": [(1, 0)], **change}
    with pytest.raises(ValueError, match="string without control characters"):
        Skeleton(**arguments)


def test_pairs_the_other_way_round():
    """A joint with two parents, and none with two children."""
    bones = [("hip", "knee"), ("knee", "foot"), ("hip", "chest")]
    with pytest.raises(ValueError, match=r"other way round, as \(child, par"):
        Skeleton.from_bones(bones)
    assert Skeleton.from_bones([b[::-1] for b in bones]).num_bones == 3


def test_rings_name_the_pair_that_closes_them():
    ring = [("b", "a"), ("c", "b"), ("d", "c"), ("a", "d")]
    with pytest.raises(ValueError, match=r"cycle: .*such as \(.*'links'"):
        Skeleton.from_bones(ring)
    open_ring = Skeleton.from_bones(ring[:3], links=[ring[3]])
    assert open_ring.links == ((0, 3),)


def test_loose_joints_are_told_how_to_be_tied():
    with pytest.raises(ValueError, match=r"connect 'c', 'd' .*pair of 'links'"):
        Skeleton("abcd", [("b", "a"), ("d", "c")])
    tied = Skeleton("abcd", [("b", "a"), ("d", "c")], links=[("a", "c")])
    assert tied.links == ((0, 2),)

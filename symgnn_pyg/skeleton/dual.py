"""The bone skeleton, whose joints are the bones of a skeleton."""

from collections.abc import Iterable
from itertools import combinations, product
from typing import TYPE_CHECKING

import networkx as nx

from symgnn_pyg.skeleton.checks import Pair, undirected

if TYPE_CHECKING:
    from symgnn_pyg.skeleton import Skeleton
    from symgnn_pyg.skeleton.graphs import SkeletonGraphs


def dual(skeleton: "Skeleton") -> dict[str, object]:
    r"""The arguments of the bone skeleton; see
    :meth:`symgnn_pyg.Skeleton.dual`.
    """
    if not skeleton.bones:
        raise ValueError(
            f"'dual' needs a skeleton with bones, got {skeleton!r}"
        )
    of_child = {child: i for i, (child, _) in enumerate(skeleton.bones)}
    parts = {
        name: [of_child[joint] for joint in joints if joint in of_child]
        for name, joints in skeleton.parts
    }
    names = skeleton.part_names
    without = [i for i, name in enumerate(names) if not parts[name]]
    part_bones = _bridged(skeleton.part_bones, without)
    joints = skeleton.joints
    bones, links = bone_pairs(skeleton)
    return {
        "joints": [f"{joints[c]}-{joints[p]}" for c, p in skeleton.bones],
        "bones": bones,
        "parts": {name: own for name, own in parts.items() if own},
        "part_bones": [(names[a], names[b]) for a, b in part_bones],
        "links": links,
        "name": f"{skeleton.name}-dual",
        "pairs": _pairs(skeleton),
    }


def bone_pairs(
    skeleton: "SkeletonGraphs",
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    r"""Pairs of a bone and its parent bone, and other neighbours."""
    touching: dict[int, list[int]] = {
        joint: [] for joint in range(len(skeleton.joints))
    }
    for i, bone in enumerate(skeleton.bones):
        for joint in bone:
            touching[joint].append(i)
    near = {p for i in touching.values() for p in combinations(i, 2)}
    bare = [joint for joint, bones in touching.items() if not bones]
    for a, b in _bridged(skeleton.links, bare):
        near.update(product(touching[a], touching[b]))
    of_child = {child: i for i, (child, _) in enumerate(skeleton.bones)}
    following = tuple(
        (i, of_child[parent])
        for i, (_, parent) in enumerate(skeleton.bones)
        if parent in of_child
    )
    others = set(undirected(near)) - set(undirected(following))
    return following, tuple(sorted((a, b) for a, b in others if a != b))


def _pairs(skeleton: "Skeleton") -> list[Pair]:
    """The bones on the left and on the right of the body."""
    bones = {bone: i for i, bone in enumerate(skeleton.bones)}
    other = {a: b for pair in skeleton.pairs for a, b in (pair, pair[::-1])}
    left = {a for a, _ in skeleton.pairs}
    found = []
    for (child, parent), i in bones.items():
        j = bones.get((other.get(child, child), other.get(parent, parent)))
        sided = child if child in other else parent
        if j is not None and j != i and sided in left:
            found.append((i, j))
    return found


def _bridged(pairs: Iterable[Pair], without: Iterable[int]) -> list[Pair]:
    """Removes ends from pairs, and connects the neighbours of each."""
    graph = nx.Graph(pairs)
    for end in without:
        if end in graph:
            graph.add_edges_from(combinations(graph[end], 2))
            graph.remove_node(end)
    return list(graph.edges)

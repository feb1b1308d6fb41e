"""The skeleton of some of the joints of another one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from symgnn_pyg.skeleton.paths import paths_to_roots

if TYPE_CHECKING:
    from symgnn_pyg.skeleton import Skeleton


def subset(skeleton: "Skeleton", kept: Sequence[int]) -> dict[str, object]:
    r"""The arguments of the skeleton of some joints; see
    :meth:`symgnn_pyg.Skeleton.subset`.
    """
    place = {joint: i for i, joint in enumerate(kept)}
    parent = _parents(skeleton, place)
    centre = skeleton.centre
    if centre not in place:
        centre = parent.get(centre, centre)
    bones = [
        (i, place[parent[joint]])
        for joint, i in place.items()
        if joint in parent
    ]
    tied = {frozenset(bone) for bone in bones}
    return {
        "joints": [skeleton.joints[joint] for joint in kept],
        "bones": bones,
        "parts": {
            name: members
            for name, joints in skeleton.parts
            if (members := [place[j] for j in joints if j in place])
        },
        "links": [
            link
            for link in _kept(skeleton.links, place)
            if frozenset(link) not in tied
        ],
        "centre": place.get(centre),
        "offsets": _offsets(skeleton, place, parent),
        "name": skeleton.name,
        "pairs": _kept(skeleton.pairs, place),
    }


def _parents(skeleton: "Skeleton", place: dict[int, int]) -> dict[int, int]:
    """The nearest kept joint above each joint. Where there is none, as below
    a root that is left out, the kept joint nearest to the root stands for it.
    """
    paths = paths_to_roots(skeleton)
    tree = nx.DiGraph((above, joint) for joint, above in skeleton.bones)
    tree.add_nodes_from(range(skeleton.num_joints))
    found: dict[int, int] = {}
    for root in [j for j in tree if len(paths[j]) == 1]:
        steps = nx.single_source_shortest_path_length(tree, root)
        kept = [joint for joint in steps if joint in place]
        if not kept:
            continue
        first = min(kept, key=lambda joint: (steps[joint], place[joint]))
        for joint in steps:
            above = [j for j in paths[joint][1:] if j in place]
            if above:
                found[joint] = above[0]
            elif joint != first:
                found[joint] = first
    return found


def _kept(
    pairs: Sequence[tuple[int, int]], place: dict[int, int]
) -> list[tuple[int, int]]:
    return [(place[a], place[b]) for a, b in pairs if a in place and b in place]


def _offsets(
    skeleton: "Skeleton", place: dict[int, int], parent: dict[int, int]
) -> list[list[float]] | None:
    if skeleton.offsets is None:
        return None
    # The rest pose has no rotations: offsets from the root add up.
    offsets = np.array(skeleton.offsets)
    position = [offsets[path].sum(axis=0) for path in paths_to_roots(skeleton)]
    return [
        (position[j] - position[parent[j]] if j in parent else position[j])
        .round(9)
        .tolist()
        for j in place
    ]

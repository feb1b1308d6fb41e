"""The skeleton of some of the joints of another one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
    first: dict[int, int] = {}  # The kept joint nearest to each root.
    for joint in sorted(place, key=lambda joint: len(paths[joint])):
        first.setdefault(paths[joint][-1], joint)
    found = {}
    for joint, path in enumerate(paths):
        other = first.get(path[-1], joint)
        above = next((j for j in path[1:] if j in place), other)
        if above != joint:
            found[joint] = above
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

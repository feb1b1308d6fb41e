"""Checks of a skeleton's joints, bones, links, parts and offsets."""

import math
import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import networkx as nx

from symgnn_pyg.skeleton.sides import named_pairs

Joint = int | str
Pair = tuple[int, int]


def joints_of(joints: Sequence[str]) -> tuple[str, ...]:
    r"""Checks that there are joints and that their names differ."""
    if isinstance(joints, set | frozenset):
        raise TypeError(
            f"Expected 'joints' in the order of your arrays, got {joints!r}"
        )
    names = tuple(map(str, joints))
    if not names:
        raise ValueError("A skeleton needs at least one joint")
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"The joint {name!r} is given twice")
    return names


def numbered(names: Iterable[str]) -> dict[str, int]:
    r"""The index of each name."""
    return {name: i for i, name in enumerate(names)}


def index_of(
    key: Joint, names: Mapping[str, int], what: str, where: str = ""
) -> int:
    r"""The index of an item that is given by name or index."""
    try:
        found = names.get(key) if isinstance(key, str) else operator.index(key)
    except TypeError:
        found = None
    if found is not None and 0 <= found < len(names):
        return found
    raise ValueError(
        f"Unknown {what} {key!r}{where}, expected one of {', '.join(names)}"
    )


def pairs_of(
    pairs: Iterable[tuple[Joint, Joint]],
    names: Sequence[str],
    what: str,
    end: str = "joint",
) -> tuple[Pair, ...]:
    r"""Converts pairs to indices, and checks that each pair occurs once and
    connects two different ends.
    """
    ends = "(child, parent)" if what == "bone" else f"({end}, {end})"
    form = f"{what.capitalize()}s must be {ends} pairs"
    if hasattr(pairs, "shape"):
        raise ValueError(
            f"{form}, got an array of shape {list(pairs.shape)}: pass "
            f"edge_index.t().tolist() for an edge_index of shape [2, E]"
        )
    known = numbered(names)
    found: dict[Pair, None] = {}
    for pair in pairs:
        if (
            not isinstance(pair, Sequence)
            or isinstance(pair, str)
            or len(pair) != 2
        ):
            raise ValueError(f"{form}, got {pair!r}")
        where = f" in {what} {tuple(pair)!r}"
        a, b = (index_of(key, known, end, where) for key in pair)
        if a == b:
            raise ValueError(
                f"A {what} must connect two different {end}s, got {end} "
                f"{names[a]!r} twice"
            )
        if (a, b) in found or (b, a) in found:
            raise ValueError(f"The {what} {tuple(pair)!r} is given twice")
        found[a, b] = None
    return tuple(found)


def undirected(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    r"""Sorts undirected pairs, so that equal sets of pairs compare equal."""
    return tuple(sorted((min(pair), max(pair)) for pair in pairs))


def check_tree(joints: Sequence[str], bones: Sequence[Pair]) -> None:
    r"""Checks that no joint has two parents and that bones form no cycle."""
    parent_of: dict[int, int] = {}
    for child, parent in bones:
        if child in parent_of:
            two = (
                f"Joint {joints[child]!r} has two parents, "
                f"{joints[parent_of[child]]!r} and {joints[parent]!r}"
            )
            if len({above for _, above in bones}) == len(bones):
                raise ValueError(
                    f"{two}, but no joint has two children: the bones seem to "
                    f"be (parent, child) pairs; pass them the other way round, "
                    f"as (child, parent)"
                )
            raise ValueError(
                f"{two}; if a bone closes a ring, pass it in 'links'"
            )
        parent_of[child] = parent
    graph = nx.DiGraph(bones)
    # `find_cycle` is slow on long chains without a cycle.
    if nx.is_directed_acyclic_graph(graph):
        return
    names = [joints[child] for child, _ in nx.find_cycle(graph)]
    raise ValueError(
        f"Bones form a cycle: {' -> '.join([*names, names[0]])}; pass the pair "
        f"that closes the ring, such as {(names[-1], names[0])!r}, in 'links' "
        f"instead"
    )


def check_links(
    joints: Sequence[str], bones: Iterable[Pair], links: Iterable[Pair]
) -> None:
    r"""Checks that no link is a bone as well."""
    for a, b in {*undirected(bones)} & {*undirected(links)}:
        raise ValueError(
            f"The link {(joints[a], joints[b])!r} is a bone already"
        )


def check_connected(
    joints: Sequence[str], edges: Sequence[Pair], centre: int
) -> None:
    r"""Checks that bones and links connect all joints to the centre."""
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(len(joints)))
    reached = nx.node_connected_component(graph, centre)
    loose = [name for j, name in enumerate(joints) if j not in reached]
    if loose:
        raise ValueError(
            f"No bones or links connect {', '.join(map(repr, loose))} to the "
            f"centre {joints[centre]!r}; add the bone to its parent of each, "
            f"or a pair of 'links' with a joint nearby"
        )


def parts_of(
    parts: Mapping[str, Sequence[Joint]], joints: Sequence[str]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    r"""Converts the joints of each part to indices, and checks that every
    joint is in exactly one part.
    """
    if not isinstance(parts, Mapping):
        raise TypeError(
            f"Expected 'parts' as a dictionary of the joints of each part by "
            f"its name, got {parts!r}"
        )
    known = numbered(joints)
    part_of: dict[int, str] = {}
    found = []
    for name, members in parts.items():
        if not members:
            raise ValueError(f"Part {name!r} has no joints")
        where = f" in part {name!r}"
        indices = [index_of(key, known, "joint", where) for key in members]
        for j in indices:
            if j in part_of:
                raise ValueError(
                    f"Joint {joints[j]!r} is in two parts, {part_of[j]!r} and "
                    f"{name!r}"
                )
            part_of[j] = name
        found.append((str(name), tuple(sorted(indices))))
    missing = [j for i, j in enumerate(joints) if i not in part_of]
    if missing:
        raise ValueError(
            f"Every joint must be in a part, got none for "
            f"{', '.join(map(repr, missing))}"
        )
    return tuple(found)


def sides_of(
    pairs: Iterable[tuple[Joint, Joint]] | None, joints: Sequence[str]
) -> tuple[Pair, ...]:
    r"""The (left, right) pairs of joints as indices, each joint in at most
    one; those found by their names if none are given.
    """
    if pairs is None:
        return tuple(named_pairs(joints))
    found = pairs_of(pairs, joints, "pair")
    for j, count in Counter(chain.from_iterable(found)).items():
        if count > 1:
            raise ValueError(f"Joint {joints[j]!r} is in two of the 'pairs'")
    return found


def offsets_of(
    offsets: Sequence[Sequence[float]] | None, joints: Sequence[str]
) -> tuple[tuple[float, float, float], ...] | None:
    r"""Checks that there are three finite numbers for each joint."""
    if offsets is None:
        return None
    if len(offsets) != len(joints) or any(
        len(offset) != 3 for offset in offsets
    ):
        raise ValueError(
            f"Expected 'offsets' of shape [{len(joints)}, 3], got "
            f"{len(offsets)} offsets of {sorted({*map(len, offsets)})} numbers"
        )
    found = tuple((float(x), float(y), float(z)) for x, y, z in offsets)
    for joint, offset in zip(joints, found, strict=True):
        if not all(map(math.isfinite, offset)):
            raise ValueError(
                f"The offset of joint {joint!r} must be finite, got {offset}"
            )
    return found

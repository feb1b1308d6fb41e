"""Conversion of skeletons to and from NetworkX graphs."""

import math
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from symgnn_pyg.skeleton import Skeleton


def to_networkx(skeleton: "Skeleton") -> nx.DiGraph:
    r"""See :meth:`symgnn_pyg.Skeleton.to_networkx`."""
    joints, names = skeleton.joints, skeleton.part_names
    graph = nx.DiGraph(
        name=skeleton.name,
        centre=joints[skeleton.centre],
        parts=list(names),
        part_bones=[(names[a], names[b]) for a, b in skeleton.part_bones],
        pairs=[(joints[a], joints[b]) for a, b in skeleton.pairs],
    )
    graph.add_nodes_from(joints)
    for part, members in skeleton.parts:
        for j in members:
            graph.nodes[joints[j]]["part"] = part
    for joint, offset in zip(joints, skeleton.offsets or (), strict=False):
        graph.nodes[joint]["offset"] = offset
    for number, (child, parent) in enumerate(skeleton.bones):
        graph.add_edge(joints[child], joints[parent], link=False, bone=number)
    for a, b in skeleton.links:
        graph.add_edge(joints[a], joints[b], link=True)
    return graph


def from_networkx(graph: nx.Graph, centre: object) -> dict[str, object]:
    r"""The arguments of :class:`Skeleton` for a graph; see
    :meth:`symgnn_pyg.Skeleton.from_networkx`.
    """
    if graph.number_of_nodes() == 0:
        raise ValueError("A skeleton needs at least one joint")
    about = graph.graph
    if centre is None:
        centre = about.get("centre")
    if centre is not None and centre not in graph:
        raise ValueError(
            f"Unknown joint {str(centre)!r} as 'centre', expected one of "
            f"{', '.join(map(str, graph))}"
        )
    edges = sorted(graph.edges(data=True), key=_number)
    links = [(u, v) for u, v, data in edges if data.get("link")]
    bones = [(u, v) for u, v, data in edges if not data.get("link")]
    if not graph.is_directed():
        if centre is None:
            central = nx.closeness_centrality(graph)
            centre = max(graph, key=lambda node: central[node])
        bones = _pointed_at(centre, graph, bones)
    return {
        "joints": [str(node) for node in graph],
        "bones": [(str(u), str(v)) for u, v in bones],
        "parts": _parts(graph),
        "part_bones": about.get("part_bones"),
        "links": [(str(u), str(v)) for u, v in links],
        "centre": None if centre is None else str(centre),
        "offsets": _offsets(graph),
        "name": graph.name or "skeleton",
        "pairs": about.get("pairs"),
    }


def _number(edge: tuple[object, object, dict[str, object]]) -> float:
    number = edge[2].get("bone")
    return number if isinstance(number, int) else math.inf


def _pointed_at(
    centre: object, graph: nx.Graph, bones: list[tuple[object, object]]
) -> list[tuple[object, object]]:
    depth = nx.single_source_shortest_path_length(graph, centre)
    unreachable = next((node for node in graph if node not in depth), None)
    if unreachable is not None:
        raise ValueError(
            f"Joint {str(unreachable)!r} must be connected to the centre "
            f"{str(centre)!r}; add the missing edges"
        )
    # Bones that are attached by links only start at their joint closest to the
    # centre.
    tree = nx.Graph(bones)
    level: dict[object, int] = {}
    for tied in nx.connected_components(tree):
        root = min(tied, key=lambda node: depth[node])
        level |= nx.single_source_shortest_path_length(tree, root)
    return [(u, v) if level[u] > level[v] else (v, u) for u, v in bones]


def _parts(graph: nx.Graph) -> dict[str, list[str]] | None:
    parts: dict[str, list[str]] = {
        name: [] for name in graph.graph.get("parts", ())
    }
    for node, part in graph.nodes(data="part"):
        if part is not None:
            parts.setdefault(str(part), []).append(str(node))
    return {name: joints for name, joints in parts.items() if joints} or None


def _offsets(graph: nx.Graph) -> list[object] | None:
    offsets = dict(graph.nodes(data="offset"))
    lacking = [node for node, offset in offsets.items() if offset is None]
    if len(lacking) == len(offsets):
        return None
    if lacking:
        raise ValueError(
            f"Either all joints or none must have an 'offset', got none for "
            f"joint {str(lacking[0])!r}"
        )
    return list(offsets.values())

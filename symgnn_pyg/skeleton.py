"""The skeleton: joints, the bones between them and the parts they form."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import networkx as nx
import torch
from torch import Tensor

Joint = int | str


@dataclass(frozen=True, repr=False)
class Skeleton:
    r"""An immutable skeleton: named joints, bones that form a tree, and body
    parts that share the joints out among them.

    Joints may be given by name or by index wherever one is asked for; they
    are kept as indices.

    Args:
        joints: The names of the :math:`V` joints, all different.
        bones: One ``(child, parent)`` pair a bone: the centrifugal joint
            first, the centripetal one second. A joint has one parent at
            most, and bones form no cycle.
        parts: The joints of each named part, ten parts at most. Every joint
            is in exactly one part. (default: one part, ``"body"``)
        part_bones: Pairs of parts that are neighbours. (default: the parts
            that a bone or a link connects)
        links: Further pairs of neighbouring joints that are no bones: what
            closes a ring, or ties a joint on that has no parent.
        centre: The joint that stands for the whole body. (default: the first
            joint without a parent)
        offsets: The rest pose: for each joint its position relative to its
            parent, in metres. Used by forward kinematics and pictures, never
            by the networks.
        name: What to call it.

    Raises:
        ValueError: If a joint is unknown or repeated, in no part or in two,
            if bones form a cycle or a joint has two parents, or if a joint
            is tied to no other. The message names the culprit.

    Example:
        >>> arm = Skeleton(
        ...     joints=["shoulder", "elbow", "wrist"],
        ...     bones=[("elbow", "shoulder"), ("wrist", "elbow")],
        ...     parts={"upper arm": ["shoulder"],
        ...            "forearm": ["elbow", "wrist"]},
        ...     name="arm",
        ... )
        >>> arm
        Skeleton('arm', joints=3, bones=2, parts=2, centre='shoulder')
    """

    joints: tuple[str, ...]
    bones: tuple[tuple[int, int], ...]
    parts: tuple[tuple[str, tuple[int, ...]], ...]
    part_bones: tuple[tuple[int, int], ...]
    links: tuple[tuple[int, int], ...]
    centre: int
    offsets: tuple[tuple[float, float, float], ...] | None
    name: str

    def __init__(
        self,
        joints: Sequence[str],
        bones: Iterable[tuple[Joint, Joint]],
        parts: Mapping[str, Sequence[Joint]] | None = None,
        part_bones: Iterable[tuple[Joint, Joint]] | None = None,
        links: Iterable[tuple[Joint, Joint]] = (),
        centre: Joint | None = None,
        offsets: Sequence[Sequence[float]] | None = None,
        name: str = "skeleton",
    ) -> None:
        def put(field: str, value: object) -> None:
            object.__setattr__(self, field, value)

        put("name", name)
        put("joints", _unique(joints, "joint"))
        put("bones", _pairs(bones, self.joints, "bone"))
        put("links", _pairs(links, self.joints, "link"))
        self._check_tree()
        self._check_links()
        put("centre", self._centre(centre))
        self._check_connected()
        whole = {"body": range(self.num_joints)}
        put("parts", self._parts(whole if parts is None else parts))
        put("part_bones", self._part_bones(part_bones))
        put("offsets", self._offsets(offsets))

    # Construction ###########################################################

    @staticmethod
    def get(name: str) -> "Skeleton":
        r"""The built-in skeleton of that name; see
        :mod:`symgnn_pyg.layouts`.

        Args:
            name: One of ``"ntu25"``, ``"kinetics18"``, ``"h36m20"``,
                ``"cmu26"``.

        Raises:
            ValueError: If there is no such layout.
        """
        from symgnn_pyg import layouts

        if name not in layouts.LAYOUTS:
            raise ValueError(
                f"No built-in skeleton is called {name!r}; there are "
                f"{', '.join(map(repr, layouts.LAYOUTS))}"
            )
        return layouts.LAYOUTS[name]

    @classmethod
    def from_bones(
        cls, bones: Iterable[tuple[str, str]], **kwargs: object
    ) -> "Skeleton":
        r"""A skeleton from ``(child, parent)`` pairs of names alone. Joints
        are numbered as they appear, each bone's parent before its child.

        Args:
            bones: The bones.
            **kwargs: The further arguments of :class:`Skeleton`.
        """
        bones = list(bones)
        joints = dict.fromkeys(joint for bone in bones for joint in bone[::-1])
        return cls(list(joints), bones, **kwargs)  # type: ignore[arg-type]

    @classmethod
    def from_networkx(
        cls, graph: nx.Graph, centre: object = None, **kwargs: object
    ) -> "Skeleton":
        r"""A skeleton from a :obj:`networkx` graph. The edges of a directed
        graph point from child to parent; those of an undirected one are
        pointed at the centre. An edge attribute ``link=True`` marks a link,
        and a node attribute ``part`` names a joint's part.

        Args:
            graph: The graph; its nodes are the joints, named by ``str``.
            centre: The node that stands for the whole body. (default: for a
                directed graph the first joint without a parent, else the
                graph's most central node)
            **kwargs: The further arguments of :class:`Skeleton`.
        """
        if graph.number_of_nodes() == 0:
            raise ValueError("A skeleton needs at least one joint")
        if centre is not None and centre not in graph:
            raise ValueError(
                f"Unknown joint {str(centre)!r} as 'centre'; there are "
                f"{', '.join(map(str, graph))}"
            )
        edges = list(graph.edges(data="link"))
        links = [(u, v) for u, v, link in edges if link]
        bones = [(u, v) for u, v, link in edges if not link]
        if not graph.is_directed():
            if centre is None:
                central = nx.closeness_centrality(graph)
                centre = max(graph, key=lambda node: central[node])
            depth = nx.single_source_shortest_path_length(graph, centre)
            unreachable = next((n for n in graph if n not in depth), None)
            if unreachable is not None:
                raise ValueError(
                    f"Joint {str(unreachable)!r} is not connected to the "
                    f"centre {str(centre)!r}"
                )
            # What only links tie on starts at its joint nearest the centre.
            tree = nx.Graph(bones)
            level: dict[object, int] = {}
            for tied in nx.connected_components(tree):
                root = min(tied, key=lambda node: depth[node])
                level |= nx.single_source_shortest_path_length(tree, root)
            bones = [
                (u, v) if level[u] > level[v] else (v, u) for u, v in bones
            ]
        parts: dict[str, list[str]] = {}
        for node, part in graph.nodes(data="part"):
            if part is not None:
                parts.setdefault(str(part), []).append(str(node))
        return cls(
            [str(node) for node in graph],
            [(str(u), str(v)) for u, v in bones],
            **{  # type: ignore[arg-type]
                "parts": parts or None,
                "links": [(str(u), str(v)) for u, v in links],
                "centre": None if centre is None else str(centre),
                "name": graph.name or "skeleton",
                **kwargs,
            },
        )

    def to_networkx(self) -> nx.DiGraph:
        r"""The skeleton as a directed graph from child to parent, with node
        attribute ``part`` and edge attribute ``link``; the inverse of
        :meth:`from_networkx`.
        """
        graph = nx.DiGraph(name=self.name)
        part_of = {j: name for name, joints in self.parts for j in joints}
        for index, joint in enumerate(self.joints):
            graph.add_node(joint, part=part_of[index])
        for pairs, link in ((self.bones, False), (self.links, True)):
            for child, parent in pairs:
                graph.add_edge(
                    self.joints[child], self.joints[parent], link=link
                )
        return graph

    # Sizes and names ########################################################

    @property
    def num_joints(self) -> int:
        r"""The number of joints :math:`V`."""
        return len(self.joints)

    @property
    def num_bones(self) -> int:
        r"""The number of bones :math:`V_b`."""
        return len(self.bones)

    @property
    def num_parts(self) -> int:
        r"""The number of parts :math:`V_p`."""
        return len(self.parts)

    @property
    def part_names(self) -> tuple[str, ...]:
        r"""The names of the parts."""
        return tuple(name for name, _ in self.parts)

    def index(self, joint: Joint) -> int:
        r"""The index of a joint that is given by name or index.

        Raises:
            ValueError: If there is no such joint.
        """
        return _index(joint, self.joints, "joint")

    # Graphs #################################################################

    @property
    def edge_index(self) -> Tensor:
        r"""Bones and links in both directions, without self-loops, of shape
        :math:`[2, |E|]`.
        """
        return _both_directions(self.bones + self.links)

    @property
    def part_edge_index(self) -> Tensor:
        r"""Neighbouring parts in both directions, without self-loops, of
        shape :math:`[2, |E_p|]`.
        """
        return _both_directions(self.part_bones)

    @property
    def bone_index(self) -> Tensor:
        r"""The bones as child joints (row 0) and parent joints (row 1), of
        shape :math:`[2, V_b]`.
        """
        return torch.tensor(self.bones, dtype=torch.long).view(-1, 2).t()

    @property
    def bone_edge_index(self) -> Tensor:
        r"""Bones that share a joint in both directions, the edges of
        :meth:`dual`, of shape :math:`[2, |E_b|]`.
        """
        following, others = self._bone_pairs
        return _both_directions(following + others)

    @property
    def joint_to_part(self) -> Tensor:
        r"""The part of each joint, of shape :math:`[V]`."""
        part_of = {
            joint: part
            for part, (_, joints) in enumerate(self.parts)
            for joint in joints
        }
        return torch.tensor([part_of[j] for j in range(self.num_joints)])

    def hop_powers(self, num_hops: int) -> Tensor:
        r"""The powers :math:`\tilde{A}^1, \ldots, \tilde{A}^L` of the
        row-normalised, self-looped adjacency matrix
        :math:`\tilde{A} = D^{-1} A`, of shape :math:`[L, V, V]`.

        Args:
            num_hops: The number of hops :math:`L`, at least 1.

        Raises:
            ValueError: If :obj:`num_hops` is smaller than 1.
        """
        if num_hops < 1:
            raise ValueError(f"'num_hops' must be at least 1, got {num_hops}")
        adjacency = _normalised(self.edge_index, self.num_joints).double()
        powers = [adjacency]
        while len(powers) < num_hops:
            powers.append(adjacency @ powers[-1])
        return torch.stack(powers).to(torch.get_default_dtype())

    def part_adjacency(self) -> Tensor:
        r"""The row-normalised, self-looped adjacency matrix of the parts
        :math:`D_p^{-1} A_p`, of shape :math:`[V_p, V_p]`.
        """
        return _normalised(self.part_edge_index, self.num_parts)

    def dual(self) -> "Skeleton":
        r"""The bone skeleton: its joints are this skeleton's bones, named
        ``"child-parent"``, and two of them are neighbours when they share a
        joint, as in the line graph. A bone inherits the part of its child
        joint. A part that is left without bones is removed, and the parts
        around it become neighbours.

        Raises:
            ValueError: If the skeleton has no bones.
        """
        return self._dual

    @cached_property
    def _dual(self) -> "Skeleton":
        if not self.bones:
            raise ValueError(f"{self!r} has no bones, and so no dual")
        of_child = {child: i for i, (child, _) in enumerate(self.bones)}
        bones, links = self._bone_pairs
        parts = {
            name: [of_child[joint] for joint in joints if joint in of_child]
            for name, joints in self.parts
        }
        graph = nx.Graph(self.part_bones)
        for part, (name, _) in enumerate(self.parts):
            if not parts[name]:
                if part in graph:
                    graph.add_edges_from(combinations(graph[part], 2))
                    graph.remove_node(part)
                del parts[name]
        return Skeleton(
            [f"{self.joints[c]}-{self.joints[p]}" for c, p in self.bones],
            bones,
            parts=parts,
            part_bones=[
                (self.parts[a][0], self.parts[b][0]) for a, b in graph.edges
            ],
            links=links,
            name=f"{self.name}-dual",
        )

    @cached_property
    def _bone_pairs(
        self,
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bones that follow each other, and others that share a joint."""
        node = {frozenset(bone): i for i, bone in enumerate(self.bones)}
        of_child = {child: i for i, (child, _) in enumerate(self.bones)}
        following = [
            (i, of_child[parent])
            for i, (_, parent) in enumerate(self.bones)
            if parent in of_child
        ]
        line = nx.line_graph(nx.Graph(self.bones))
        shared = {
            frozenset((node[frozenset(a)], node[frozenset(b)]))
            for a, b in line.edges
        }
        others = shared - {frozenset(pair) for pair in following}
        return following, sorted((min(p), max(p)) for p in others)

    # Identity ###############################################################

    @cached_property
    def fingerprint(self) -> int:
        r"""A 63-bit number that is equal for equal graphs (joints, bones,
        links, parts) and stays the same between processes and versions.
        """
        graph = [self.joints, self.bones, self.links]
        graph += [self.parts, self.part_bones]
        digest = hashlib.sha256(json.dumps(graph).encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def to_dict(self) -> dict[str, object]:
        r"""The constructor's arguments as plain lists and strings."""
        return {
            "joints": list(self.joints),
            "bones": [list(bone) for bone in self.bones],
            "parts": {name: list(joints) for name, joints in self.parts},
            "part_bones": [list(pair) for pair in self.part_bones],
            "links": [list(link) for link in self.links],
            "centre": self.centre,
            "offsets": self.offsets and [list(o) for o in self.offsets],
            "name": self.name,
        }

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.to_dict(),)

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.name!r}, "
            f"joints={self.num_joints}, bones={self.num_bones}, "
            f"parts={self.num_parts}, centre={self.joints[self.centre]!r})"
        )

    # Checks #################################################################

    def _check_tree(self) -> None:
        parent_of: dict[int, int] = {}
        for child, parent in self.bones:
            if child in parent_of:
                raise ValueError(
                    f"Joint {self.joints[child]!r} has two parents, "
                    f"{self.joints[parent_of[child]]!r} and "
                    f"{self.joints[parent]!r}; pass the one that closes a "
                    f"ring in 'links'"
                )
            parent_of[child] = parent
        graph = nx.DiGraph(self.bones)
        # Looking for a cycle that is not there takes long on long chains.
        if nx.is_directed_acyclic_graph(graph):
            return
        cycle = nx.find_cycle(graph)
        names = [self.joints[child] for child, _ in cycle]
        raise ValueError(
            f"Bones form a cycle: {' -> '.join([*names, names[0]])}"
        )

    def _check_links(self) -> None:
        bones = set(map(frozenset, self.bones))
        for a, b in self.links:
            if frozenset((a, b)) in bones:
                raise ValueError(
                    f"The link {(self.joints[a], self.joints[b])!r} is a bone"
                )

    def _check_connected(self) -> None:
        graph = nx.Graph(self.bones + self.links)
        graph.add_nodes_from(range(self.num_joints))
        reached = nx.node_connected_component(graph, self.centre)
        loose = [j for i, j in enumerate(self.joints) if i not in reached]
        if loose:
            raise ValueError(
                f"No bone or link ties {', '.join(map(repr, loose))} to the "
                f"centre {self.joints[self.centre]!r}"
            )

    def _centre(self, centre: Joint | None) -> int:
        if centre is not None:
            return _index(centre, self.joints, "joint", " as 'centre'")
        children = {child for child, _ in self.bones}
        return next(j for j in range(self.num_joints) if j not in children)

    def _parts(
        self, parts: Mapping[str, Sequence[Joint]]
    ) -> tuple[tuple[str, tuple[int, ...]], ...]:
        if not 1 <= len(parts) <= 10:
            raise ValueError(f"Expected one to ten parts, got {len(parts)}")
        part_of: dict[int, str] = {}
        for name, joints in parts.items():
            if not joints:
                raise ValueError(f"Part {name!r} has no joints")
            for joint in joints:
                j = _index(joint, self.joints, "joint", f" in part {name!r}")
                if j in part_of:
                    raise ValueError(
                        f"Joint {self.joints[j]!r} is in two parts, "
                        f"{part_of[j]!r} and {name!r}"
                    )
                part_of[j] = name
        missing = [j for i, j in enumerate(self.joints) if i not in part_of]
        if missing:
            raise ValueError(f"No part holds {', '.join(map(repr, missing))}")
        return tuple(
            (str(name), tuple(self.index(joint) for joint in joints))
            for name, joints in parts.items()
        )

    def _part_bones(
        self, part_bones: Iterable[tuple[Joint, Joint]] | None
    ) -> tuple[tuple[int, int], ...]:
        if part_bones is not None:
            return _pairs(part_bones, self.part_names, "part bone", "part")
        part = self.joint_to_part.tolist()
        pairs = {
            tuple(sorted((part[a], part[b])))
            for a, b in self.bones + self.links
        }
        return tuple(sorted((a, b) for a, b in pairs if a != b))

    def _offsets(
        self, offsets: Sequence[Sequence[float]] | None
    ) -> tuple[tuple[float, float, float], ...] | None:
        if offsets is None:
            return None
        if len(offsets) != self.num_joints or any(
            len(offset) != 3 for offset in offsets
        ):
            raise ValueError(
                f"'offsets' must hold three numbers for each of the "
                f"{self.num_joints} joints"
            )
        return tuple((float(x), float(y), float(z)) for x, y, z in offsets)


def _rebuild(arguments: dict[str, object]) -> Skeleton:
    return Skeleton(**arguments)  # type: ignore[arg-type]


def _unique(names: Sequence[str], what: str) -> tuple[str, ...]:
    names = tuple(str(name) for name in names)
    if not names:
        raise ValueError(f"A skeleton needs at least one {what}")
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise ValueError(f"The {what} {twice!r} is named twice")
    return names


def _index(
    key: Joint, names: tuple[str, ...], what: str, where: str = ""
) -> int:
    if isinstance(key, str) and key in names:
        return names.index(key)
    if not isinstance(key, str) and 0 <= key < len(names):
        return int(key)
    raise ValueError(
        f"Unknown {what} {key!r}{where}; there are {', '.join(names)}"
    )


def _pairs(
    pairs: Iterable[tuple[Joint, Joint]],
    names: tuple[str, ...],
    what: str,
    end: str = "joint",
) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for a, b in pairs:
        where = f" in {what} {(a, b)!r}"
        pair = _index(a, names, end, where), _index(b, names, end, where)
        if pair[0] == pair[1]:
            raise ValueError(
                f"A {what} ties the {end} {names[pair[0]]!r} to itself"
            )
        if pair in found or pair[::-1] in found:
            raise ValueError(f"The {what} {(a, b)!r} is given twice")
        found.append(pair)
    return tuple(found)


def _both_directions(pairs: Sequence[tuple[int, int]]) -> Tensor:
    edges = torch.tensor(pairs, dtype=torch.long).view(-1, 2).t()
    return torch.cat([edges, edges.flip(0)], dim=1)


def _normalised(edge_index: Tensor, size: int) -> Tensor:
    adjacency = torch.eye(size)
    adjacency[edge_index[0], edge_index[1]] = 1.0
    return adjacency / adjacency.sum(dim=1, keepdim=True)

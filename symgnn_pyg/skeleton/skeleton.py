"""The skeleton: joints, the bones between them and the parts they form."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import networkx as nx
import torch

from symgnn_pyg.errors import check_names
from symgnn_pyg.skeleton import networkx as skeleton_networkx
from symgnn_pyg.skeleton.checks import (
    Joint,
    check_connected,
    check_links,
    check_tree,
    index_of,
    joints_of,
    numbered,
    offsets_of,
    pairs_of,
    parts_of,
    sides_of,
    undirected,
)
from symgnn_pyg.skeleton.dual import dual
from symgnn_pyg.skeleton.graphs import SkeletonGraphs
from symgnn_pyg.skeleton.layouts import LAYOUTS, find_layout
from symgnn_pyg.skeleton.parts import named_parts
from symgnn_pyg.skeleton.subset import subset


@dataclass(frozen=True, repr=False)
class Skeleton(SkeletonGraphs):
    r"""An immutable skeleton: named joints, bones that form a tree, and a
    partition of the joints into body parts.

    All arguments accept joints by name or by index; attributes hold indices.

    Args:
        joints: The names of the :math:`V` joints, all different.
        bones: One ``(child, parent)`` pair per bone: the centrifugal joint
            first, the centripetal joint second. A joint has at most one
            parent, and bones form no cycle.
        parts: The joints of each named part. Every joint is in exactly one
            part. (default: one part, ``"body"``)
        part_bones: Pairs of neighbouring parts, in either order. (default: the
            parts that are connected by a bone or a link)
        links: Pairs of neighbouring joints that are not bones, in either
            order: they close a ring, or attach a joint that has no parent.
            (default: none)
        centre: The joint that stands for the whole body. (default: the first
            joint without a parent)
        offsets: The rest pose: the position of each joint relative to its
            parent, in metres. Forward kinematics and plots use it, networks do
            not. (default: :obj:`None`)
        name: The name of the skeleton. (default: ``"skeleton"``)
        pairs: The ``(left, right)`` pairs of joints on the two sides of the
            body. (default: found by names such as :obj:`"left elbow"`,
            :obj:`"LeftArm"`, :obj:`"Hand_L"` and :obj:`"lfemur"`)

    Raises:
        ValueError: If a joint is unknown or given twice, is in no part or in
            two, has two parents or is not connected to the centre, if bones
            are not pairs or form a cycle, if an offset is not finite, or if a
            name contains control characters. The message names the culprit.

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
    pairs: tuple[tuple[int, int], ...]

    def __init__(
        self,
        joints: Sequence[str],
        bones: Iterable[tuple[Joint, Joint]],
        parts: Mapping[str, Sequence[Joint]] | None = None,
        *,
        part_bones: Iterable[tuple[Joint, Joint]] | None = None,
        links: Iterable[tuple[Joint, Joint]] = (),
        centre: Joint | None = None,
        offsets: Sequence[Sequence[float]] | None = None,
        name: str = "skeleton",
        pairs: Iterable[tuple[Joint, Joint]] | None = None,
    ) -> None:
        def put(field: str, value: object) -> None:
            object.__setattr__(self, field, value)

        put("name", name)
        put("joints", joints_of(joints))
        put("bones", pairs_of(bones, self.joints, "bone"))
        put("links", undirected(pairs_of(links, self.joints, "link")))
        check_tree(self.joints, self.bones)
        check_links(self.joints, self.bones, self.links)
        if centre is None:
            children = {child for child, _ in self.bones}
            centre = next(
                j for j in range(self.num_joints) if j not in children
            )
        known = numbered(self.joints)
        put("centre", index_of(centre, known, "joint", " as 'centre'"))
        check_connected(self.joints, self.bones + self.links, self.centre)
        whole = {"body": range(self.num_joints)}
        put("parts", parts_of(whole if parts is None else parts, self.joints))
        if part_bones is None:
            part = self.joint_to_part.tolist()
            near = ((part[a], part[b]) for a, b in self.bones + self.links)
            part_bones = {pair for pair in undirected(near) if len({*pair}) > 1}
        ends = pairs_of(part_bones, self.part_names, "part bone", "part")
        put("part_bones", undirected(ends))
        put("offsets", offsets_of(offsets, self.joints))
        put("pairs", sides_of(pairs, self.joints))
        check_names([name, *self.joints, *self.part_names], "The name")

    # Construction ###########################################################

    @staticmethod
    def get(name: str) -> "Skeleton":
        r"""Returns a built-in skeleton.

        Args:
            name: One of the data sets ``"ntu25"``, ``"kinetics18"``,
                ``"h36m20"``, ``"h36m32"``, ``"h36m17"``, ``"cmu26"``,
                ``"cmu38"``, of the pose estimators ``"coco17"``,
                ``"coco_wholebody133"``, ``"openpose25"``, ``"mediapipe33"``,
                ``"hand21"``, of the body models ``"smpl22"``, ``"smpl24"``, or
                of the camera ``"kinect20"``. Case, blanks and marks do not
                matter, and ``"coco"``, ``"BlazePose"`` or ``"NTU-RGB+D"`` are
                found too.

        Raises:
            ValueError: If there is no built-in skeleton of that name, or
                several.
        """
        return _built_in(find_layout(name)["name"])

    @classmethod
    def from_bones(
        cls, bones: Iterable[tuple[str, str]], **kwargs: object
    ) -> "Skeleton":
        r"""Creates a skeleton from its bones only. Joints are numbered in the
        order in which they appear, the parent of each bone before its child.

        Args:
            bones: The ``(child, parent)`` pairs, by name.
            **kwargs: Further arguments of :class:`Skeleton`.
        """
        bones = list(bones)
        joints = dict.fromkeys(joint for bone in bones for joint in bone[::-1])
        return cls(list(joints), bones, **kwargs)  # type: ignore[arg-type]

    @classmethod
    def from_networkx(
        cls, graph: nx.Graph, centre: object = None, **kwargs: object
    ) -> "Skeleton":
        r"""Creates a skeleton from a :obj:`networkx` graph. The edges of a
        directed graph must point from child to parent; those of an undirected
        graph are directed towards the centre. The edge attribute ``link=True``
        marks a link, and the node attribute ``part`` names the part of a
        joint. The other attributes that :meth:`to_networkx` writes are read
        too.

        Args:
            graph: The graph. Its nodes are the joints, named by ``str``.
            centre: The node that stands for the whole body. (default: the
                graph attribute ``centre`` if there is one; otherwise the first
                joint without a parent in a directed graph, and the most
                central node in an undirected graph)
            **kwargs: Further arguments of :class:`Skeleton`, which take
                precedence over the graph.

        Raises:
            ValueError: If :obj:`centre` is not a node, the graph is empty or
                not connected, or only some nodes have an offset.
        """
        arguments = skeleton_networkx.from_networkx(graph, centre)
        return cls(**{**arguments, **kwargs})  # type: ignore[arg-type]

    def to_networkx(self) -> nx.DiGraph:
        r"""Converts the skeleton to a directed graph from child to parent, the
        inverse of :meth:`from_networkx`. Nodes have the attribute ``part`` and,
        if there is a rest pose, ``offset``. Edges have the attribute ``link``
        and, unless they are links, the number of the ``bone``. The graph has
        the attributes ``name``, ``centre``, ``parts`` (in order) and
        ``part_bones``.
        """
        return skeleton_networkx.to_networkx(self)

    def with_named_parts(self) -> "Skeleton":
        r"""This skeleton with parts that are found by the names of its joints:
        thighs, lower legs (each called crus, as in the paper), upper arms and
        forearms of both sides, torso and head. Parts without joints are left
        out. Without names of limbs on both sides, the skeleton is unchanged.
        """
        parts = named_parts(self)
        if parts is None:
            return self
        arguments = {**self.to_dict(), "parts": parts, "part_bones": None}
        return Skeleton(**arguments)  # type: ignore[arg-type]

    def subset(
        self, joints: Iterable[Joint], name: str | None = None
    ) -> "Skeleton":
        r"""Some joints of this skeleton as a skeleton of their own, in the
        order given. A joint whose parent is left out is tied to the nearest
        joint above it that is kept; if the root is left out, the joint nearest
        to it takes its place. The other joints are removed from parts, links,
        left and right pairs and the rest pose.

        Args:
            joints: The joints, by name or index.
            name: The name of the new skeleton. (default: that of this one)

        Raises:
            ValueError: If a joint is unknown or given twice.

        Example:
            >>> whole = Skeleton.get("coco_wholebody133")
            >>> body = whole.subset(whole.joints[:17], "body")
            >>> x = torch.randn(1, 133, 50, 3)
            >>> x = x[:, [whole.index(joint) for joint in body.joints]]
            >>> body
            Skeleton('body', joints=17, bones=16, parts=9, centre='nose')
        """
        arguments = subset(self, [self.index(joint) for joint in joints])
        arguments["name"] = self.name if name is None else name
        return Skeleton(**arguments)  # type: ignore[arg-type]

    def dual(self) -> "Skeleton":
        r"""The bone skeleton. Its joints are the bones of this skeleton, named
        ``"child-parent"``. Two bones are neighbours if they share a joint, as
        in the line graph, or if a link connects them. A bone inherits the part
        of its child joint. Parts without bones are removed and their
        neighbours connected; so are joints that are attached by links only.

        Raises:
            ValueError: If the skeleton has no bones.
        """
        return self._dual

    @cached_property
    def _dual(self) -> "Skeleton":
        return Skeleton(**dual(self))  # type: ignore[arg-type]

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

        Args:
            joint: The name or the index.

        Raises:
            ValueError: If there is no such joint.
        """
        return index_of(joint, numbered(self.joints), "joint")

    # Identity ###############################################################

    @cached_property
    def fingerprint(self) -> int:
        r"""A 63-bit hash of the graph (joints, bones, links and parts) that
        does not depend on the order of bones, the process or the version.
        """
        graph = [self.joints, sorted(self.bones), self.links]
        graph += [self.parts, self.part_bones]
        digest = hashlib.sha256(json.dumps(graph).encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def to_dict(self) -> dict[str, object]:
        r"""The arguments of the constructor as plain lists and strings."""
        return {
            "joints": list(self.joints),
            "bones": [list(bone) for bone in self.bones],
            "parts": {name: list(joints) for name, joints in self.parts},
            "part_bones": [list(pair) for pair in self.part_bones],
            "links": [list(link) for link in self.links],
            "centre": self.centre,
            "offsets": self.offsets and [list(o) for o in self.offsets],
            "name": self.name,
            "pairs": [list(pair) for pair in self.pairs],
        }

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.to_dict(),)

    def __repr__(self) -> str:
        return (
            f"{self.__class__.__name__}({self.name!r}, "
            f"joints={self.num_joints}, bones={self.num_bones}, "
            f"parts={self.num_parts}, centre={self.joints[self.centre]!r})"
        )


@cache
def _built_in(name: str) -> Skeleton:
    skeleton = Skeleton(**LAYOUTS[name])
    return skeleton if "parts" in LAYOUTS[name] else skeleton.with_named_parts()


def _rebuild(arguments: dict[str, object]) -> Skeleton:
    return Skeleton(**arguments)  # type: ignore[arg-type]


# Data sets in memory are saved by torch.save, and torch.load reads only what it
# knows.
torch.serialization.add_safe_globals([_rebuild])

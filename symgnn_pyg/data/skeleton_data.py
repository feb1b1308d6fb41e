import operator
from functools import lru_cache
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from symgnn_pyg.data.skeleton_storage import SkeletonStorage
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.skeleton import Skeleton, as_skeleton


class SkeletonData(Data):
    r"""A skeleton sequence as a graph: the joints are the nodes, and the
    graphs of parts and bones come with them. Skeletons of any kind and any
    number of bodies mix in a batch, and nothing is padded. NumPy arrays,
    nested lists and tensors of integers in :obj:`x` and :obj:`future` become
    tensors of the default type.

    Args:
        x: The observed frames of each joint, of shape :math:`[V, T, C]`, or
            :math:`[B \cdot V, T, C]` for :math:`B` bodies of one sample, one
            after the other.
        future: The frames to predict, of shape :math:`[B \cdot V, T', C]`.
            (default: :obj:`None`)
        y: The label, of shape :math:`[1]`, or the probability of each class,
            of shape :math:`[1, K]`. (default: :obj:`None`)
        skeleton: The skeleton. From it come :obj:`num_bodies` :math:`[1]`,
            :obj:`edge_index` (joints), :obj:`joint_to_part`
            :math:`[B \cdot V]`, :obj:`part_edge_index`,
            :obj:`bone_edge_index` (bones that share a joint) and
            :obj:`bone_x` :math:`[B \cdot V_b, T, C]`, the difference of each
            bone's ends, child minus parent.
        num_bodies: The number of bodies :math:`B`. (default: the number of
            rows of :obj:`x` divided by :math:`V`)
        **kwargs: Further attributes; they take precedence over those that
            come from the skeleton.

    Raises:
        TypeError: If :obj:`y` is the name of a class, or :obj:`num_bodies` is
            not an integer.
        ValueError: If :obj:`x` or :obj:`future` does not have
            :math:`B \cdot V` rows, or if frames and joints of :obj:`x` may
            be swapped: it has more than :math:`V` rows, :math:`V` frames, and
            :obj:`num_bodies` is not given.
    """

    def __init__(
        self,
        x: Tensor | np.ndarray | list[Any] | None = None,
        *,
        future: Tensor | np.ndarray | list[Any] | None = None,
        y: Tensor | np.ndarray | int | None = None,
        skeleton: Skeleton | str | None = None,
        num_bodies: Tensor | int | None = None,
        **kwargs: Any,
    ) -> None:
        x, future = _as_tensor(x), _as_tensor(future)
        super().__init__(x=x, **kwargs)
        self.__dict__["_store"] = SkeletonStorage(
            self._store.to_dict(), _parent=self
        )
        if future is not None:
            self.future = future
        if y is not None:
            if isinstance(y, str):
                raise TypeError(
                    f"Expected 'y' to be the index of a class, got {y!r}; pass "
                    f"classes.index({y!r})"
                )
            y = torch.as_tensor(y)
            self.y = y if y.dim() == 2 else y.view(-1)
        if isinstance(skeleton, str):
            skeleton = as_skeleton(skeleton)
        if skeleton is not None:
            self.skeleton = skeleton
        if not isinstance(skeleton, Skeleton):
            # No skeleton, or, as data sets in memory keep them, many samples.
            if num_bodies is not None:
                self.num_bodies = torch.as_tensor(num_bodies).view(-1)
            return
        if num_bodies is None:
            num_bodies = _count_bodies(x, skeleton)
        else:
            num_bodies = operator.index(num_bodies)
            check_sizes(1, num_bodies=num_bodies)
        num_rows = num_bodies * skeleton.num_joints
        for name, value in (("x", x), ("future", future)):
            if value is not None and (
                value.size(0) != num_rows or num_rows == 0
            ):
                bodies = "" if num_bodies <= 1 else f"{num_bodies} bodies of "
                raise ValueError(
                    f"'{name}' of shape {list(value.shape)} does not fit "
                    f"{bodies}the {skeleton.num_joints} joints of {skeleton!r}"
                )
        if x is None:
            self.num_nodes = num_rows
        derived = skeleton_graphs(skeleton, num_bodies)
        derived["num_bodies"] = torch.tensor([num_bodies])
        if x is not None and "bone_x" not in kwargs:
            derived["bone_x"] = bone_features(x, skeleton)
        for key, value in derived.items():
            if key not in kwargs:
                self[key] = value

    def subgraph(self, subset: Tensor) -> Self:
        r"""Raises an error: the skeleton, its bones and its parts would still
        describe all joints.
        """
        raise ValueError(
            "A SkeletonData cannot be reduced to some of its joints; create "
            "one with a smaller skeleton and the rows of its joints"
        )

    def __inc__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        if key in ("joint_to_part", "part_edge_index"):
            return int(self.num_bodies) * self.skeleton.num_parts
        if key == "bone_edge_index":
            return int(self.num_bodies) * self.skeleton.num_bones
        return super().__inc__(key, value, *args, **kwargs)


def skeleton_graphs(skeleton: Skeleton, num_bodies: int) -> dict[str, Tensor]:
    r"""The graphs of bodies of one skeleton that follow one another."""
    body = torch.arange(num_bodies)
    return {
        key: (graph.unsqueeze(-2) + step * body.unsqueeze(-1)).flatten(-2)
        for key, (graph, step) in _graphs(skeleton).items()
    }


def bone_features(x: Tensor, skeleton: Skeleton) -> Tensor:
    r"""The difference of each bone's ends, child minus parent, of shape
    :math:`[B \cdot V_b, *]`.

    Args:
        x: Features of the joints, of shape :math:`[B \cdot V, *]`.
        skeleton: The skeleton.
    """
    child, parent = skeleton.bone_index.to(x.device)
    bodies = x.unflatten(0, (-1, skeleton.num_joints))
    ends = bodies.index_select(1, child), bodies.index_select(1, parent)
    return ends[0].sub_(ends[1]).flatten(0, 1)


def _count_bodies(x: Tensor | None, skeleton: Skeleton) -> int:
    num_joints = skeleton.num_joints
    if x is None:
        return 1
    if x.dim() > 1 and x.size(0) > num_joints == x.size(1):
        raise ValueError(
            f"Expected 'x' of shape [{num_joints}, T, C] for {skeleton!r}, got "
            f"{list(x.shape)}: transpose frames and joints, or pass the "
            f"'num_bodies' that these rows hold"
        )
    return x.size(0) // num_joints


def _as_tensor(
    value: Tensor | np.ndarray | list[Any] | None,
) -> Tensor | None:
    if isinstance(value, np.ndarray | list):
        return torch.tensor(value, dtype=torch.get_default_dtype())
    if isinstance(value, Tensor) and not (
        value.is_floating_point() or value.is_complex()
    ):
        return value.to(torch.get_default_dtype())
    return value


@lru_cache
def _graphs(skeleton: Skeleton) -> dict[str, tuple[Tensor, int]]:
    return {
        "edge_index": (skeleton.edge_index, skeleton.num_joints),
        "joint_to_part": (skeleton.joint_to_part, skeleton.num_parts),
        "part_edge_index": (skeleton.part_edge_index, skeleton.num_parts),
        "bone_edge_index": (skeleton.bone_edge_index, skeleton.num_bones),
    }


# PyG saves data sets in memory by torch.save, and torch.load reads only classes
# that it knows.
torch.serialization.add_safe_globals([SkeletonData, SkeletonStorage])

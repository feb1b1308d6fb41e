from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from symgnn_pyg.skeleton import Skeleton


class SkeletonData(Data):
    r"""A skeleton sequence as a graph: the joints are the nodes, and the part
    graph and the dual bone graph ride along. Skeletons of any kind mix in a
    batch, and nothing is padded.

    Args:
        x: The observed frames of each joint, of shape :math:`[V, T, C]`.
        future: The frames to predict, of shape :math:`[V, T', C]`.
            (default: :obj:`None`)
        y: The label, of shape :math:`[1]`. (default: :obj:`None`)
        skeleton: The skeleton. From it come :obj:`edge_index` (joints),
            :obj:`joint_to_part` :math:`[V]`, :obj:`part_edge_index`,
            :obj:`bone_edge_index` (bones that share a joint) and
            :obj:`bone_x` :math:`[V_b, T, C]`, the difference of each bone's
            ends, child minus parent.
        **kwargs: Further attributes.

    Raises:
        ValueError: If :obj:`x` or :obj:`future` have another number of joints
            than the skeleton.
    """

    def __init__(
        self,
        x: Tensor | None = None,
        future: Tensor | None = None,
        y: Tensor | int | None = None,
        skeleton: Skeleton | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(x=x, **kwargs)
        if future is not None:
            self.future = future
        if y is not None:
            self.y = torch.as_tensor(y).view(-1)
        if skeleton is None:
            return
        for name, value in (("x", x), ("future", future)):
            if value is not None and value.size(0) != skeleton.num_joints:
                raise ValueError(
                    f"'{name}' of shape {list(value.shape)} does not fit the "
                    f"{skeleton.num_joints} joints of {skeleton!r}"
                )
        self.skeleton = skeleton
        self.edge_index = skeleton.edge_index
        self.joint_to_part = skeleton.joint_to_part
        self.part_edge_index = skeleton.part_edge_index
        # A single joint has no bones, and still fits into a batch.
        graph = skeleton.dual() if skeleton.num_bones > 0 else skeleton
        self.bone_edge_index = graph.edge_index
        if x is not None:
            child, parent = skeleton.bone_index
            self.bone_x = x[child] - x[parent]

    def __inc__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        if key in ("joint_to_part", "part_edge_index"):
            return self.skeleton.num_parts
        if key == "bone_edge_index":
            return self.skeleton.num_bones
        return super().__inc__(key, value, *args, **kwargs)

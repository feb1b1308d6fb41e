from typing import Any

from torch import Tensor
from torch_geometric.data.storage import GlobalStorage

NODE_ATTRS = frozenset(("x", "future", "mask", "joint_to_part"))
# Attributes of bones, parts and the sample, whatever their size.
OTHER_ATTRS = frozenset(
    ("bone_x", "bone_edge_index", "part_edge_index", "num_bodies", "skeleton")
)


class SkeletonStorage(GlobalStorage):
    r"""The attributes of a :class:`~symgnn_pyg.data.SkeletonData`. Nodes and
    edges are those of joints: PyG would also count any attribute with "edge"
    in its name, or with as many entries as there are nodes or edges. Joints
    can be neither added nor removed, since the skeleton would no longer fit.
    """

    def is_node_attr(self, key: str) -> bool:
        if key in NODE_ATTRS or key in OTHER_ATTRS:
            return key in NODE_ATTRS
        return super().is_node_attr(key)

    def is_edge_attr(self, key: str) -> bool:
        if key in NODE_ATTRS or key in OTHER_ATTRS:
            return False
        return super().is_edge_attr(key)

    @property
    def num_edges(self) -> int:
        # A transform may have replaced 'edge_index' by a sparse matrix.
        if "edge_index" not in self:
            for adjacency in self.values("adj", "adj_t"):
                if isinstance(adjacency, Tensor):
                    return adjacency.values().numel()
                return adjacency.nnz()
        return super().num_edges

    def __setitem__(self, key: str, value: Any) -> None:
        if "skeleton" in self._mapping and key in ("x", "future", "num_nodes"):
            self._check_joints(key, value)
        super().__setitem__(key, value)

    def _check_joints(self, key: str, value: Any) -> None:
        before = self._mapping.get("x" if key == "num_nodes" else key)
        if not isinstance(before, Tensor):
            return
        count = value.size(0) if isinstance(value, Tensor) else value
        if count != before.size(0):
            raise ValueError(
                f"Expected {key!r} to keep the {before.size(0)} joints of its "
                f"skeleton, got {count}; to change the joints, create a "
                f"SkeletonData with another skeleton"
            )

from copy import copy

import torch
from torch import Tensor
from torch_geometric.data import Batch
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from symgnn_pyg.data import SkeletonData
from symgnn_pyg.data.batch_of_bodies import batch_of_bodies
from symgnn_pyg.data.skeleton_data import bone_features
from symgnn_pyg.skeleton import Skeleton, paths_to_roots
from symgnn_pyg.transforms.bodies import bodies_of


@functional_transform("to_bones")
class ToBones(BaseTransform):
    r"""Converts a sample to its bones: the difference between the child and
    the parent joint of each bone, on the dual skeleton (functional name:
    :obj:`to_bones`):

    .. math::
        \mathbf{x}'_{b,t} = \mathbf{x}_{c(b),t} - \mathbf{x}_{p(b),t}

    :obj:`x` and :obj:`future` become :math:`[B \cdot V_b, T, C]` and
    :math:`[B \cdot V_b, T', C]`, with the graphs of
    :meth:`~symgnn_pyg.Skeleton.dual`. In a :obj:`mask` of seen joints, a bone
    is seen if both of its ends are. Attributes of the sample are kept, other
    attributes of nodes and edges are removed. A batch of one skeleton is
    converted sample by sample.

    Raises:
        ValueError: If there is no skeleton or it has no bones, if a batch has
            several skeletons, or if a batch has attributes that its samples do
            not have, except one label per sample.
    """

    def forward(self, data: SkeletonData | Batch) -> SkeletonData | Batch:
        skeleton, _ = bodies_of(data)
        device = data.x.device
        if device.type != "cpu":
            # The graphs of skeletons are on the CPU.
            return self(copy(data).cpu()).to(device)
        if isinstance(data, Batch):
            return self._of_batch(data, skeleton)
        moved = {
            name: bone_features(data[name], skeleton)
            for name in ("x", "future")
            if name in data
        }
        bones = SkeletonData(
            **moved, skeleton=skeleton.dual(), num_bodies=data.get("num_bodies")
        )
        if "mask" in data:
            ends = data.mask.unflatten(0, (-1, skeleton.num_joints))
            child, parent = skeleton.bone_index
            bones.mask = (ends[:, child] & ends[:, parent]).flatten(0, 1)
        for key, value in data.items():
            of_graph = data.is_node_attr(key) or data.is_edge_attr(key)
            if key not in bones and not of_graph:
                bones[key] = value
        return bones

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        r"""Returns the bones of a motion, of shape :math:`[M, V_b, T, C]`.

        Args:
            motion: The joints, of shape :math:`[M, V, T, C]`.
            skeleton: The skeleton of the joints.
            sample: The index of the sample of each body, which is not used.
        """
        bones = bone_features(motion.flatten(0, 1), skeleton)
        return bones.unflatten(0, (-1, skeleton.num_bones))

    def restore(
        self,
        future: Tensor,
        observed: Tensor,
        skeleton: Skeleton,
        sample: Tensor,
    ) -> Tensor:
        r"""Chains predicted bones to joints, starting from the roots, which
        stay where they were last observed.

        Args:
            future: The predicted bones, of shape :math:`[M, V_b, T', C]`.
            observed: The observed joints, of shape :math:`[M, V, T, C]`.
            skeleton: The skeleton of the joints.
            sample: The index of the sample of each body, which is not used.
        """
        bone_to = {
            child: bone for bone, (child, _) in enumerate(skeleton.bones)
        }
        joints = []
        for *below, root in paths_to_roots(skeleton):
            bones = future[:, [bone_to[j] for j in below]]
            joints.append(observed[:, root, -1:] + bones.sum(dim=1))
        return torch.stack(joints, dim=1)

    def _of_batch(self, batch: Batch, skeleton: Skeleton) -> Batch:
        slices = getattr(batch, "_slice_dict", {})
        labelled = _has_one_label_each(batch, slices.get("y"))
        if labelled and "future" in batch and "num_bodies" in batch:
            bones = batch_of_bodies(
                bone_features(batch.x, skeleton),
                bone_features(batch.future, skeleton),
                batch.y,
                skeleton=skeleton.dual(),
                num_bodies=batch.num_bodies,
            )
            if set(bones.keys()) == set(batch.keys()):
                return bones
        added = set(batch.keys()) - set(slices) - {"batch", "ptr"}
        labels = {"y"} & added if labelled else set()
        if added - labels:
            raise ValueError(
                f"Expected a batch whose attributes all belong to its samples, "
                f"got {', '.join(sorted(added - labels))} in addition; remove "
                f"these, or add them after the transform"
            )
        bones = Batch.from_data_list(
            [self(each) for each in batch.to_data_list()]
        )
        if labels:
            bones.y = batch.y
        return bones


def _has_one_label_each(batch: Batch, slices: Tensor | None) -> bool:
    labels = batch.get("y")
    if not isinstance(labels, Tensor) or labels.dim() != 1:
        return False
    if slices is None:
        return labels.numel() == batch.num_graphs
    return bool(slices.diff().eq(1).all())

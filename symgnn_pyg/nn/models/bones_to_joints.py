from contextlib import nullcontext
from math import prod

import torch
from torch import Tensor

from symgnn_pyg.nn.fixed_buffers import FixedBuffers
from symgnn_pyg.skeleton import Skeleton, as_skeleton, paths_to_roots


class BonesToJoints(FixedBuffers):
    r"""Computes joint positions from bone vectors, the inverse of taking the
    difference between the ends of each bone:

    .. math::
        \mathbf{x}_i = \mathbf{x}_{r(i)} + \sum_{b \in \textrm{path}(r(i), i)}
        \mathbf{b}_b

    where :math:`r(i)` is the root of joint :math:`i`, its ancestor without a
    parent.

    Args:
        skeleton: The skeleton of the joints.

    Shapes:
        - **input:** bone features :math:`[M \cdot V_b, *]`, child minus
          parent; joint features :math:`[M \cdot V, *]`
        - **output:** joint features :math:`[M \cdot V, *]`
    """

    path: Tensor
    root: Tensor

    def __init__(self, skeleton: Skeleton | str) -> None:
        super().__init__()
        skeleton = as_skeleton(skeleton)
        self.num_joints = skeleton.num_joints
        self.num_bones = skeleton.num_bones
        bone_to = {
            child: bone for bone, (child, _) in enumerate(skeleton.bones)
        }
        paths = paths_to_roots(skeleton)
        with torch.device("cpu"):
            path = torch.zeros(
                skeleton.num_joints, skeleton.num_bones, dtype=torch.double
            )
            root = torch.tensor([joints[-1] for joints in paths])
        for joint, joints in enumerate(paths):
            path[joint, [bone_to[j] for j in joints[:-1]]] = 1.0
        self.register_fixed("path", path)
        self.register_fixed("root", root)

    def forward(self, bones: Tensor, joints: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            bones: Bone features, of shape :math:`[M \cdot V_b, *]`.
            joints: Joint features, of shape :math:`[M \cdot V, *]`, of which
                only those of joints without a parent are used.

        Raises:
            ValueError: If :obj:`bones` and :obj:`joints` do not belong to the
                same bodies.
        """
        count = self.count_bodies(bones, joints)
        width = prod(joints.shape[1:])
        bodies = bones.reshape(count, self.num_bones, width)
        anchors = joints.reshape(count, self.num_joints, width)[:, self.root]
        # Poses need single precision: half precision is off by millimetres.
        with (
            nullcontext()
            if bones.is_meta
            else torch.autocast(bones.device.type, enabled=False)
        ):
            return (anchors + self.path @ bodies.to(self.path)).view_as(joints)

    def count_bodies(self, bones: Tensor, joints: Tensor) -> int:
        r"""The number of bodies :math:`M` that bones and joints belong to.

        Args:
            bones: Bone features, of shape :math:`[M \cdot V_b, *]`.
            joints: Joint features, of shape :math:`[M \cdot V, *]`.

        Raises:
            ValueError: If they do not belong to the same bodies.
        """
        count = joints.size(0) // self.num_joints
        if (
            joints.size(0) != count * self.num_joints
            or bones.size(0) != count * self.num_bones
            or bones.shape[1:] != joints.shape[1:]
        ):
            raise ValueError(
                f"Expected bones of shape [M * {self.num_bones}, *] and joints "
                f"of shape [M * {self.num_joints}, *] for the same M bodies, "
                f"got {list(bones.shape)} and {list(joints.shape)}"
            )
        return count

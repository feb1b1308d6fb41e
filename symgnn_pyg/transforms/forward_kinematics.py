import roma
import torch
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton


def forward_kinematics(rotation: Tensor, skeleton: Skeleton) -> Tensor:
    r"""Joint positions from joint rotations, down the tree of bones:

    .. math::
        \mathbf{R}_i = \mathbf{R}_{p(i)} \exp([\mathbf{v}_i]_{\times}),
        \qquad \mathbf{x}_i = \mathbf{x}_{p(i)} + \mathbf{R}_{p(i)}
        \mathbf{o}_i

    where :math:`\mathbf{o}_i` is the joint's offset in the rest pose.
    There is no way back: positions do not say how far a bone is turned about
    itself.

    Args:
        rotation: The rotation vector (exponential map) of each joint relative
            to its parent, in radians, of shape :math:`[*, V, 3]`.
        skeleton: The skeleton, with offsets.

    Returns:
        The positions in metres, of shape :math:`[*, V, 3]`, joints without a
        parent at their offsets.

    Raises:
        ValueError: If the skeleton has no offsets, or :obj:`rotation` another
            number of joints.

    Source: rotation vectors are turned into matrices by :obj:`roma`.
    """
    if skeleton.offsets is None:
        raise ValueError(f"{skeleton!r} has no 'offsets'")
    if rotation.shape[-2:] != (skeleton.num_joints, 3):
        raise ValueError(
            f"Expected 'rotation' of shape [*, {skeleton.num_joints}, 3], "
            f"got {list(rotation.shape)}"
        )
    local = roma.rotvec_to_rotmat(rotation)  # [*, V, 3, 3]
    offset = rotation.new_tensor(skeleton.offsets)
    parent = dict(skeleton.bones)
    turned: dict[int, Tensor] = {}
    position: dict[int, Tensor] = {}

    def place(joint: int) -> None:
        if joint in turned:
            return
        up = parent.get(joint)
        if up is None:
            turned[joint] = local[..., joint, :, :]
            position[joint] = offset[joint].expand((*rotation.shape[:-2], 3))
            return
        place(up)
        turned[joint] = turned[up] @ local[..., joint, :, :]
        position[joint] = position[up] + turned[up] @ offset[joint]

    for joint in range(skeleton.num_joints):
        place(joint)
    return torch.stack(
        [position[joint] for joint in range(skeleton.num_joints)], dim=-2
    )

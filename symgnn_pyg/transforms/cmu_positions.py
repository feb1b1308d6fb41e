from torch import Tensor

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.skeleton.kinematics import forward_kinematics
from symgnn_pyg.skeleton.layouts import CMU26_IN_38

CMU38 = Skeleton.get("cmu38")


def cmu_positions(pose: Tensor) -> Tensor:
    r"""Joint positions of poses in the form of CMU Mocap: exponential maps
    that store minus the rotation of each joint about the global axes. The
    body is a generic adult's, and the joints that the layout leaves out stay
    at rest.

    Args:
        pose: Exponential maps in radians, of shape :math:`[*, 26, 3]`.

    Returns:
        Positions in metres relative to the hip, of shape
        :math:`[*, 26, 3]`: x to the body's left, y up, z forward.

    Raises:
        ValueError: If there are not 26 joints.
    """
    if pose.shape[-2:] != (len(CMU26_IN_38), 3):
        raise ValueError(
            f"Expected 'pose' of shape [*, {len(CMU26_IN_38)}, 3], got "
            f"{list(pose.shape)}"
        )
    shape = (*pose.shape[:-2], CMU38.num_joints, 3)
    rotation = pose.new_zeros(shape)
    rotation[..., CMU26_IN_38, :] = -pose
    return forward_kinematics(rotation, CMU38)[..., CMU26_IN_38, :]

import torch
from torch import Tensor

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.body_sides import body_sides


def mirrored_joints(skeleton: Skeleton) -> Tensor:
    r"""For each joint the one on the other side of the body, itself for a
    joint in the middle, of shape :math:`[V]`.

    Sides are told by name: by the words left and right (``"left elbow"``,
    ``"LeftArm"``, ``"hip_left"``) or by a leading letter l or r
    (``"lfemur"``). A letter means a side only where the joint has a partner
    by it: ``"lamp"`` is in the middle if there is no ``"ramp"``.

    Args:
        skeleton: The skeleton; a dual one too.

    Raises:
        ValueError: If the joint on the other side of one that a word puts on
            a side is missing.
    """
    index = {joint: j for j, joint in enumerate(skeleton.joints)}
    for joint, (_, partner) in zip(index, body_sides(skeleton), strict=True):
        if partner not in index:
            raise ValueError(
                f"Joint {joint!r} of {skeleton!r} is on one side of the body, "
                f"but there is no {partner!r} on the other; a joint in the "
                f"middle needs a name that is neither left nor right"
            )
    return torch.tensor([index[name] for _, name in body_sides(skeleton)])

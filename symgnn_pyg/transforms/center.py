from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.bodies import first_bodies
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("center_motion")
class Center(MotionTransform):
    r"""Moves the origin to a joint :math:`c` of the first body in the sample
    (functional name: :obj:`center_motion`):

    .. math::
        \mathbf{x}'_{i,t} = \mathbf{x}_{i,t} - \mathbf{x}_{c,t}
        \quad \textrm{or} \quad
        \mathbf{x}'_{i,t} = \mathbf{x}_{i,t} - \mathbf{x}_{c,0}

    All bodies in the sample are moved by the same amount, which preserves
    their relative positions. Every channel counts as an axis.

    Args:
        joint: The joint, by name or index. (default: the skeleton's centre)
        per_frame: Whether to subtract the position of the joint in every
            frame, instead of its position in the first frame.
            (default: :obj:`True`)

    Raises:
        ValueError: If the skeleton has no such joint.
    """

    def __init__(
        self, joint: int | str | None = None, per_frame: bool = True
    ) -> None:
        self.joint = joint
        self.per_frame = per_frame

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        path = self._path(motion, skeleton, sample)
        return motion - (path if self.per_frame else path[:, :, :1])

    def restore(
        self,
        future: Tensor,
        observed: Tensor,
        skeleton: Skeleton,
        sample: Tensor,
    ) -> Tensor:
        r"""Moves predicted frames back. The future path of the joint is not
        predicted if :obj:`per_frame` is :obj:`True`: the joint of the first
        body then stays where it was last observed.
        """
        path = self._path(observed, skeleton, sample)
        return future + (path[:, :, -1:] if self.per_frame else path[:, :, :1])

    def _path(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        joint = skeleton.centre
        if self.joint is not None:
            joint = skeleton.index(self.joint)
        return motion[first_bodies(sample), joint].unsqueeze(1)  # [M, 1, T, C]

from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg import ops
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("difference")
class Difference(MotionTransform):
    r"""Applies the difference operator, equation (9) of the `"Symbiotic Graph
    Neural Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper (functional name:
    :obj:`difference`); see :func:`symgnn_pyg.ops.difference`. Observed and
    future frames form one motion, so the first future frame becomes its
    difference to the last observed frame. The first observed frame becomes
    zero, and for order 2 the second one equals the first velocity.

    Args:
        order: The order :math:`b`: 0 for positions, 1 for velocities (in the
            unit of the data per frame), 2 for accelerations (per squared
            frame). (default: :obj:`1`)

    Raises:
        ValueError: If :obj:`order` is negative.
    """

    def __init__(self, order: int = 1) -> None:
        check_sizes(0, order=order)
        self.order = order

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        return ops.difference(motion, self.order)

    def restore(
        self,
        future: Tensor,
        observed: Tensor,
        skeleton: Skeleton,
        sample: Tensor,
    ) -> Tensor:
        r"""Sums predicted differences, starting from the last observed
        frame.
        """
        for order in reversed(range(self.order)):
            last = ops.difference(observed, order)[:, :, -1:]
            future = last + future.cumsum(dim=2)
        return future

from torch import Tensor
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg import ops
from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("difference")
class Difference(MotionTransform):
    r"""The difference operator, equation (9), as a transform (functional
    name: :obj:`difference`); see :func:`symgnn_pyg.ops.difference`. It runs
    over the observed and the future frames as one motion, so the first future
    frame is the difference to the last observed one. The first observed frame
    of order 1 is zero; of order 2 it is zero too, and the second is the first
    velocity.

    Args:
        order: The order :math:`b`: 0 is position, 1 velocity, 2 acceleration,
            in the unit of the data per frame and per frame squared.
            (default: :obj:`1`)

    Raises:
        ValueError: If :obj:`order` is negative.
    """

    def __init__(self, order: int = 1) -> None:
        if order < 0:
            raise ValueError(f"'order' must not be negative, got {order}")
        self.order = order

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        return ops.difference(motion, self.order)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(order={self.order})"

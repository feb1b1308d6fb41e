from fractions import Fraction

from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform

from symgnn_pyg.skeleton import Skeleton
from symgnn_pyg.transforms.motion_transform import MotionTransform


@functional_transform("observe")
class Observe(MotionTransform):
    r"""Keeps a fraction of the observed frames from the start and removes
    :obj:`future`, for the recognition of actions before they have ended
    (functional name: :obj:`observe`):

    .. math::
        T_{\textrm{new}} = \max(1, \lfloor r \, T + 1/2 \rfloor)

    A :obj:`mask` of seen joints is shortened likewise.

    Args:
        ratio: The fraction :math:`r` of frames to keep.

    Raises:
        ValueError: If not :obj:`0 < ratio <= 1`.
    """

    def __init__(self, ratio: float) -> None:
        if not 0.0 < ratio <= 1.0:
            raise ValueError(
                f"'ratio' must be greater than 0 and at most 1, got {ratio}"
            )
        self.ratio = ratio

    def transform(
        self, motion: Tensor, skeleton: Skeleton, sample: Tensor
    ) -> Tensor:
        return motion[:, :, : self._num_frames(motion.size(2))]

    def forward(self, data: Data) -> Data:
        if "future" in data:
            del data.future
        if "mask" in data:
            data.mask = data.mask[:, : self._num_frames(data.mask.size(1))]
        return super().forward(data)

    def _num_frames(self, num_observed: int) -> int:
        # Exact arithmetic: in floating point, 0.29 * 50 is below 14.5.
        share = Fraction(str(self.ratio)) * num_observed
        return max(1, int(share + Fraction(1, 2)))

from typing import Any

from torch import Tensor

from symgnn_pyg.metrics.per_frame import PerFrameMetric


class PCK(PerFrameMetric):
    r"""The percentage of correct keypoints at each future frame: the share of
    joints, from 0 to 1, whose distance to their true positions is at most
    :obj:`threshold` times the size of the body. The size of the body is the
    diagonal of the bounding box of all true joints in that frame. A frame with
    NaN in it has the value NaN.

    Args:
        num_joints: The number of joints :math:`V`.
        num_future: The number of future frames :math:`T'`.
        num_groups: The number of groups, such as actions.
            (default: :obj:`1`)
        threshold: The threshold, relative to the size of the body.
            (default: :obj:`0.05`)
        num_coordinates: The number of leading channels that are coordinates;
            others, such as confidence, do not count. (default: all)
        **kwargs: Further arguments of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: If a number is smaller than 1, or :obj:`threshold` is
            negative.

    Shapes:
        - **input:** predicted and true positions
          :math:`[N \cdot V, T', C]`, groups :math:`[N]`
        - **output:** shares :math:`[T']`
    """

    higher_is_better = True

    def __init__(
        self,
        num_joints: int,
        num_future: int,
        num_groups: int = 1,
        *,
        threshold: float = 0.05,
        num_coordinates: int | None = None,
        **kwargs: Any,
    ) -> None:
        if not threshold >= 0:
            raise ValueError(
                f"'threshold' must not be negative, got {threshold}"
            )
        super().__init__(
            num_joints,
            num_future,
            num_groups,
            num_coordinates=num_coordinates,
            **kwargs,
        )
        self.threshold = threshold
        self.keep_apart(threshold=float(threshold))

    def sample_values(self, prediction: Tensor, target: Tensor) -> Tensor:
        distance = (prediction - target).norm(dim=-1)  # [N, V, T']
        box = target.amax(dim=1) - target.amin(dim=1)  # [N, T', C]
        size = box.norm(dim=-1, keepdim=True).mT  # [N, 1, T']
        # Bodies of size 0, with all joints in one place, can be predicted too.
        excess = distance - self.threshold * size
        return (excess <= 0).double().where(~excess.isnan(), excess).mean(dim=1)

from typing import Any

from torch import Tensor

from symgnn_pyg.metrics.per_frame import PerFrameMetric
from symgnn_pyg.skeleton import convert_rotation


class MeanAngleError(PerFrameMetric):
    r"""The mean angle error (MAE) of Human3.6M and CMU Mocap, in radians,
    **at** each future frame (not averaged up to it).

    The protocol:

    1. The exponential map of each joint is converted to a rotation matrix
       :math:`\mathbf{R}` (by Rodrigues' formula), and that to Euler angles
       :math:`e_2 = -\arcsin R_{02}`, :math:`e_1 = \textrm{atan2}(R_{12} /
       \cos e_2, R_{22} / \cos e_2)`, :math:`e_3 = \textrm{atan2}(R_{01} /
       \cos e_2, R_{00} / \cos e_2)`; where :math:`|R_{02}| = 1`,
       :math:`e_3 = 0` and :math:`e_1 = \textrm{atan2}(R_{01}, R_{02})`.
    2. Only those of a sample's :math:`3 V` angles count whose standard
       deviation over the true future frames exceeds :math:`10^{-4}`.
    3. The error at a frame is the Euclidean norm of the differences of these
       angles, which are not wrapped at :math:`2 \pi`.
    4. Errors are averaged over the samples of each action, and then over
       actions.

    Global translation and rotation are not part of the protocol: pass all
    joints except the root. The computation runs in double precision.

    Args:
        num_joints: The number of joints :math:`V`.
        num_future: The number of future frames :math:`T'`.
        num_groups: The number of actions. (default: :obj:`1`)
        **kwargs: Further arguments of :class:`torchmetrics.Metric`.

    Raises:
        ValueError: If :obj:`num_future` is less than 2.

    Shapes:
        - **input:** predicted and true exponential maps in radians
          :math:`[N \cdot V, T', 3]`, actions :math:`[N]`
        - **output:** errors in radians :math:`[T']`

    Source: the `"On Human Motion Prediction Using Recurrent Neural Networks"
    <https://arxiv.org/abs/1705.02445>`_ paper.
    """

    MOVING = 1e-4

    higher_is_better = False

    def __init__(
        self,
        num_joints: int,
        num_future: int,
        num_groups: int = 1,
        **kwargs: Any,
    ) -> None:
        if num_future < 2:
            raise ValueError(
                f"'num_future' must be at least 2, since angles that do not "
                f"move within the future frames do not count, got {num_future}"
            )
        super().__init__(num_joints, num_future, num_groups, **kwargs)

    def sample_values(self, prediction: Tensor, target: Tensor) -> Tensor:
        predicted, true = (
            convert_rotation(poses, "exponential_map", "euler")
            for poses in (prediction, target)
        )
        spread = true.std(dim=2, correction=0)  # [N, V, 3]
        moving = (spread > self.MOVING).unsqueeze(2)
        gap = (predicted - true) * moving
        return gap.square().sum(dim=(1, 3)).sqrt()

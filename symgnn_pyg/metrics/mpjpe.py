from torch import Tensor

from symgnn_pyg.metrics.per_frame import PerFrameMetric


class MPJPE(PerFrameMetric):
    r"""The mean per-joint position error at each future frame, in the unit of
    the positions:

    .. math::
        \textrm{MPJPE}_t = \frac{1}{V} \sum_{i=1}^{V} \Vert
        \hat{\mathbf{x}}_{i,t} - \mathbf{x}_{i,t} \Vert_2

    Args:
        num_joints: The number of joints :math:`V`.
        num_future: The number of future frames :math:`T'`.
        num_groups: The number of groups, such as actions.
            (default: :obj:`1`)
        num_coordinates: The number of leading channels that are coordinates;
            others, such as confidence, do not count. (default: all)
        **kwargs: Further arguments of :class:`torchmetrics.Metric`.

    Shapes:
        - **input:** predicted and true positions
          :math:`[N \cdot V, T', C]`, groups :math:`[N]`
        - **output:** errors :math:`[T']`
    """

    higher_is_better = False

    def sample_values(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).norm(dim=-1).mean(dim=1)

import numpy as np
import torch
from torch import Tensor

from symgnn_pyg.nn.fixed_buffers import FixedBuffers


class PoseLoss(FixedBuffers):
    r"""A prediction loss that resembles the metrics of motion prediction: the
    distance between whole poses, in the unit of the data.

    .. math::
        \mathcal{L}_{\textrm{pred}} &= \ell(\mathbf{X}, \hat{\mathbf{X}}) +
        \mu \, \ell(\mathcal{D}^1 \mathbf{X}, \mathcal{D}^1
        \hat{\mathbf{X}}) \\
        \ell(\mathbf{X}, \hat{\mathbf{X}}) &= \frac{1}{M T'} \sum_{m=1}^{M}
        \sum_{t=1}^{T'} w_t \, \Vert \mathbf{S} \odot (\mathbf{X}_{m,t} -
        \hat{\mathbf{X}}_{m,t}) \Vert_F, \qquad
        w_t \propto t^{-\gamma}, \quad \sum_{t=1}^{T'} w_t = T'

    for :math:`M` bodies, where :math:`\mathcal{D}^1` are the differences
    between successive future frames.

    The L1 norm of equation (12) is minimised by the median of each normalised
    channel, and channels that hardly move weigh as much as those that move a
    lot. Networks trained with this loss without velocities predict better on
    validation windows of CMU Mocap (`docs/results/cmu.md`).

    Args:
        scale: The factors :math:`\mathbf{S}` that convert predicted poses to
            the unit of the data, of shape :math:`[V, C]` or :math:`[V, 1]`:
            the standard deviations that poses were divided by, or ones.
        decay: The exponent :math:`\gamma` by which later frames count less.
            Errors grow with time, and late errors would otherwise dominate.
            (default: :obj:`0.36`)
        velocity: The weight :math:`\mu` of the velocities.
            (default: :obj:`1.0`)

    Raises:
        ValueError: If :obj:`scale` does not have two dimensions, or is on the
            device :obj:`"meta"` and has no values.

    Shapes:
        - **input:** predicted and true poses :math:`[M \cdot V, T', C]`
        - **output:** the loss, in the unit of the data
    """

    scale: Tensor

    def __init__(
        self,
        scale: Tensor | np.ndarray,
        *,
        decay: float = 0.36,
        velocity: float = 1.0,
    ) -> None:
        super().__init__()
        if not isinstance(scale, Tensor):
            scale = torch.as_tensor(scale)
        if scale.dim() != 2 or 0 in scale.shape:
            raise ValueError(
                f"'scale' must be of shape [V, C], got {list(scale.shape)}"
            )
        if scale.is_meta:
            raise ValueError(
                "'scale' must hold values, got a tensor on the device 'meta'"
            )
        self.decay = decay
        self.velocity = velocity
        self.register_fixed("scale", scale.detach().cpu().double())
        if not self.scale.is_meta:
            self.to(scale if scale.is_floating_point() else scale.device)

    def forward(self, predicted: Tensor, true: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            predicted: The predicted poses, of shape
                :math:`[M \cdot V, T', C]`.
            true: The true poses, of the same shape.

        Raises:
            ValueError: If the shapes differ or do not fit :obj:`scale`.
        """
        num_joints, channels = self.scale.shape
        if (
            predicted.shape != true.shape
            or true.dim() != 3
            or true.size(0) % num_joints != 0
            or channels not in (1, true.size(2))
        ):
            raise ValueError(
                f"Expected 'predicted' and 'true' of the same shape "
                f"[M * {num_joints}, T', {'C' if channels == 1 else channels}]"
                f" to fit 'scale' of shape {list(self.scale.shape)}, got "
                f"{list(predicted.shape)} and {list(true.shape)}"
            )
        # Squares may overflow or underflow in half precision.
        dtype = torch.promote_types(true.dtype, torch.float)
        gap = (true.to(dtype) - predicted).unflatten(0, (-1, num_joints))
        gap = gap * self.scale.to(dtype).unsqueeze(1)
        loss = self._mean_distance(gap)
        if self.velocity and gap.size(2) > 1:
            loss = loss + self.velocity * self._mean_distance(gap.diff(dim=2))
        return loss

    def _mean_distance(self, gap: Tensor) -> Tensor:
        distance = torch.linalg.vector_norm(gap, dim=(1, 3))  # [M, T']
        frame = torch.arange(1, gap.size(2) + 1, device=gap.device)
        weight = frame.to(gap.dtype) ** -self.decay
        return (distance * (weight / weight.mean())).mean()

    def extra_repr(self) -> str:
        return f"decay={self.decay}, velocity={self.velocity}"

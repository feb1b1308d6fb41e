import torch
from torch import Tensor
from torch.nn import Module


class PoseLoss(Module):
    r"""A prediction loss that counts as the errors of the field do: by the
    distance of whole poses, in the unit of the data.

    .. math::
        \mathcal{L}_{\textrm{pred}} = \frac{1}{M} \sum_{m=1}^{M}
        \sum_{t=1}^{T'} w_t \, \Vert \mathbf{S} \odot (\mathbf{X}_{m,t} -
        \hat{\mathbf{X}}_{m,t}) \Vert_F, \qquad
        w_t \propto t^{-\gamma}, \quad \sum_{t=1}^{T'} w_t = T'

    The L1 norm of equation (12) asks for the median of each normalised
    channel, and treats one that hardly moves as one that swings. On
    validation windows of CMU Mocap this loss predicts better
    (`docs/results/cmu.md`).

    Args:
        scale: The scale :math:`\mathbf{S}` that takes what is predicted to the
            unit of the data, of shape :math:`[V, C]` or :math:`[V, 1]`: the
            standard deviations that poses were divided by, or ones.
        decay: How much less later frames count, :math:`\gamma`. Errors grow
            with time, and late ones would drown early ones.
            (default: :obj:`0.36`)

    Raises:
        ValueError: If :obj:`scale` has another shape.

    Shapes:
        - **input:** predicted and true poses :math:`[M \cdot V, T', C]`
        - **output:** the loss, in the unit of the data, summed over frames
    """

    scale: Tensor

    def __init__(self, scale: Tensor, decay: float = 0.36) -> None:
        super().__init__()
        if scale.dim() != 2 or 0 in scale.shape:
            raise ValueError(
                f"'scale' must be of shape [V, C], got {list(scale.shape)}"
            )
        self.decay = decay
        self.register_buffer("scale", scale.detach().clone(), persistent=False)

    def forward(self, predicted: Tensor, true: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            predicted: The predicted poses, of shape
                :math:`[M \cdot V, T', C]`.
            true: The true poses, of the same shape.

        Raises:
            ValueError: If the shapes differ or do not fit the scale.
        """
        num_joints, channels = self.scale.shape
        if (
            predicted.shape != true.shape
            or true.dim() != 3
            or true.size(0) % num_joints != 0
            or channels not in (1, true.size(2))
        ):
            raise ValueError(
                f"Expected 'predicted' and 'true' of one shape [M * "
                f"{num_joints}, T', C] that fits 'scale' of shape "
                f"{list(self.scale.shape)}, got {list(predicted.shape)} and "
                f"{list(true.shape)}"
            )
        # The squares of half precision overflow, and small ones are lost.
        dtype = torch.promote_types(true.dtype, torch.float)
        gap = (true.to(dtype) - predicted).unflatten(0, (-1, num_joints))
        gap = gap * self.scale.to(dtype).unsqueeze(1)
        distance = torch.linalg.vector_norm(gap, dim=(1, 3))  # [M, T']
        frame = torch.arange(1, gap.size(2) + 1, device=gap.device)
        weight = frame.to(dtype) ** -self.decay
        return (distance * (weight / weight.mean())).sum(dim=1).mean()

    def extra_repr(self) -> str:
        return f"decay={self.decay}"

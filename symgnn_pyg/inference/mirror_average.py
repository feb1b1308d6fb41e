from typing import get_args

import torch
from torch import Tensor

from symgnn_pyg.nn import SymGNN, SymGNNOutput
from symgnn_pyg.nn.fixed_buffers import FixedBuffers
from symgnn_pyg.skeleton import mirrored_joints
from symgnn_pyg.transforms import Standardize
from symgnn_pyg.transforms.mirror import Kind


class MirrorAverage(FixedBuffers):
    r"""Averages the answers of a network for a motion and for its mirror image
    :math:`\mathcal{M}`:

    .. math::
        \mathbf{z} = \frac{1}{2} \left( \mathbf{z}(\mathbf{X}) +
        \mathbf{z}(\mathcal{M} \mathbf{X}) \right), \qquad
        \hat{\mathbf{X}}^{+} = \frac{1}{2} \left(
        \hat{\mathbf{X}}^{+}(\mathbf{X}) + \mathcal{M}
        \hat{\mathbf{X}}^{+}(\mathcal{M} \mathbf{X}) \right)

    where :math:`\mathbf{z}` are class scores before the softmax. It takes twice
    the time and is exactly equivariant: mirroring the input mirrors the
    predicted poses and keeps the scores.

    Args:
        model: The network.
        kind: What the channels hold: :obj:`"position"`, or :obj:`"rotation"`
            for exponential maps; see
            :class:`~symgnn_pyg.transforms.Mirror`. (default:
            :obj:`"position"`)
        axis: The channel that points to the left or right of the body.
            (default: :obj:`0`)
        standardize: The transform that normalised the poses, if there is one:
            they are mirrored in the unit of the data. (default: :obj:`None`)

    Raises:
        TypeError: If :obj:`model` is not a :class:`~symgnn_pyg.nn.SymGNN`, or
            :obj:`standardize` is another transform.
        ValueError: If the skeleton has no left and right joints, or an
            argument does not fit the network.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]`
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput`, with the actional
          graphs and the representation of the motion itself
    """

    scale: Tensor
    shift: Tensor
    partner: Tensor

    def __init__(
        self,
        model: SymGNN,
        *,
        kind: Kind = "position",
        axis: int = 0,
        standardize: Standardize | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(model, SymGNN):
            raise TypeError(
                f"Expected 'model' to be a SymGNN, got {type(model).__name__}"
            )
        if not isinstance(standardize, Standardize | None):
            raise TypeError(
                f"Expected 'standardize' to be a Standardize, got "
                f"{type(standardize).__name__}"
            )
        skeleton, channels = model.skeleton, model.in_channels
        if kind not in get_args(Kind):
            raise ValueError(
                f"'kind' must be one of {get_args(Kind)}, got {kind!r}"
            )
        if axis not in range(channels):
            raise ValueError(
                f"'axis' must be a channel from 0 to {channels - 1}, got "
                f"{axis!r}"
            )
        if not skeleton.pairs:
            raise ValueError(
                f"{skeleton!r} has no left and right joints: pass their "
                f"'pairs' to Skeleton"
            )
        self.num_joints = skeleton.num_joints
        partner = mirrored_joints(skeleton)
        sign = torch.ones(channels, dtype=torch.double)
        sign[int(axis)] = -1
        if kind == "rotation":
            sign = -sign
        mean = torch.zeros(self.num_joints, channels, dtype=torch.double)
        std = torch.ones_like(mean)
        if standardize is not None:
            if standardize.mean.shape != mean.shape:
                raise ValueError(
                    f"Expected 'standardize' for {list(mean.shape)} joints "
                    f"and channels, got {standardize!r}"
                )
            mean, std = standardize.mean.double(), standardize.std.double()
        # Of normalised poses, the mirror image is linear, too.
        scale = sign * std[partner] / std
        shift = (sign * mean[partner] - mean) / std
        self.register_fixed("partner", partner)
        self.register_fixed("scale", scale)
        self.register_fixed("shift", shift)
        self.to(next(model.parameters()))
        self.model = model

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies in each sample, of shape
                :math:`[N]`. (default: one body per sample)
        """
        out = self.model(x, num_bodies)
        other = self.model(self.mirror(x), num_bodies)
        logits = future = None
        if out.logits is not None:
            logits = (out.logits + other.logits) / 2
        if out.future is not None:
            future = (out.future + self.mirror(other.future)) / 2
        return SymGNNOutput(logits, future, out.actional, out.shared)

    def mirror(self, x: Tensor) -> Tensor:
        r"""The mirror image of sequences.

        Args:
            x: The sequences, of shape :math:`[M \cdot V, T, C]`.
        """
        x = x.unflatten(0, (-1, self.num_joints))[:, self.partner]
        scale, shift = self.scale.to(x), self.shift.to(x)
        return (x * scale.unsqueeze(1) + shift.unsqueeze(1)).flatten(0, 1)

from typing import Any, Self, get_args

import torch
from torch import Tensor

from symgnn_pyg.errors import check_choices
from symgnn_pyg.inference.average_network import AverageNetwork
from symgnn_pyg.inference.deterministic_steps import (
    step_from_config,
    step_to_config,
)
from symgnn_pyg.inference.ensemble import Ensemble
from symgnn_pyg.nn import SymGNN, SymGNNOutput
from symgnn_pyg.nn.fixed_buffers import FixedBuffers
from symgnn_pyg.skeleton import mirrored_joints
from symgnn_pyg.transforms import Standardize
from symgnn_pyg.typing import Kind


class MirrorAverage(FixedBuffers, AverageNetwork):
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
        model: The network, a :class:`~symgnn_pyg.nn.SymGNN` or an
            :class:`Ensemble`.
        kind: What the channels hold: :obj:`"position"`, or :obj:`"rotation"`
            for exponential maps; see
            :class:`~symgnn_pyg.transforms.Mirror`. (default:
            :obj:`"position"`)
        axis: The channel that points to the left or right of the body.
            (default: :obj:`0`)
        standardize: The transform that normalised the poses, if there is one:
            they are mirrored in the unit of the data. (default: :obj:`None`)

    Raises:
        TypeError: If :obj:`model` is another network, or :obj:`standardize`
            another transform.
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
        model: SymGNN | Ensemble,
        *,
        kind: Kind = "position",
        axis: int = 0,
        standardize: Standardize | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(model, SymGNN | Ensemble):
            raise TypeError(
                f"Expected 'model' to be a SymGNN or an Ensemble of them, got "
                f"{type(model).__name__}"
            )
        if not isinstance(standardize, Standardize | None):
            raise TypeError(
                f"Expected 'standardize' to be a Standardize, got "
                f"{type(standardize).__name__}"
            )
        skeleton, channels = model.skeleton, model.in_channels
        check_choices(get_args(Kind), kind=kind)
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
        shape = skeleton.num_joints, channels
        with torch.device("cpu"):
            partner = mirrored_joints(skeleton)
            sign = torch.ones(channels, dtype=torch.double)
            unit = Standardize(torch.zeros(shape), torch.ones(shape))
        sign[int(axis)] = -1
        if kind == "rotation":
            sign = -sign
        if standardize is not None:
            unit = standardize
        if unit.mean.shape != shape:
            raise ValueError(
                f"Expected 'standardize' for {list(shape)} joints and "
                f"channels, got {standardize!r}"
            )
        mean, std = unit.mean.cpu().double(), unit.std.cpu().double()
        # Of normalised poses, the mirror image is linear, too.
        scale = sign * std[partner] / std
        shift = (sign * mean[partner] - mean) / std
        self.register_fixed("partner", partner)
        self.register_fixed("scale", scale)
        self.register_fixed("shift", shift)
        self.to(next(model.parameters()))
        self.copy_sizes(model)
        self.kind = kind
        self.axis = int(axis)
        self.standardize = standardize
        self.model = model

    def to_config(self) -> dict[str, Any]:
        statistics = None
        if self.standardize is not None:
            statistics = step_to_config(self.standardize)["arguments"]
        return {
            "model": self.model.to_config(),
            "kind": self.kind,
            "axis": self.axis,
            "standardize": statistics,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        model, standardize = config["model"], config["standardize"]
        if standardize is not None:
            standardize = step_from_config(
                {"class": "Standardize", "arguments": standardize}
            )
        return cls(
            (Ensemble if "models" in model else SymGNN).from_config(model),
            kind=config["kind"],
            axis=config["axis"],
            standardize=standardize,
        )

    def _answers(
        self, x: Tensor, num_bodies: Tensor | None
    ) -> list[SymGNNOutput]:
        out = self.model(x, num_bodies)
        other = self.model(self.mirror(x), num_bodies)
        if other.future is not None:
            other = other._replace(future=self.mirror(other.future))
        return [out, other]

    def mirror(self, x: Tensor) -> Tensor:
        r"""The mirror image of sequences.

        Args:
            x: The sequences, of shape :math:`[M \cdot V, T, C]`.
        """
        x = x.unflatten(0, (-1, self.skeleton.num_joints))[:, self.partner]
        scale, shift = self.scale.to(x), self.shift.to(x)
        return (x * scale.unsqueeze(1) + shift.unsqueeze(1)).flatten(0, 1)

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor

from symgnn_pyg.nn import SymGNN, SymGNNOutput
from symgnn_pyg.nn.models.pretrained import Pretrained

SIZES = ("num_observed", "in_channels", "num_classes", "num_future")


class AverageNetwork(Pretrained):
    r"""The base class of networks whose answer is the mean of several answers
    of trained networks: they have the skeleton and the sizes of these, and are
    saved and loaded as a whole.
    """

    in_channels: int
    num_classes: int
    num_observed: int
    num_future: int

    def copy_sizes(self, model: "SymGNN | AverageNetwork") -> None:
        r"""Takes the skeleton and the sizes of a network."""
        self.about = {}
        self.skeleton = model.skeleton
        for name in SIZES:
            setattr(self, name, getattr(model, name))

    @abstractmethod
    def _answers(
        self, x: Tensor, num_bodies: Tensor | None
    ) -> list[SymGNNOutput]:
        r"""The outputs to average; see :meth:`forward`."""

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: The number of bodies in each sample, of shape
                :math:`[N]`. (default: one body per sample)
        """
        outs = self._answers(x, num_bodies)
        return outs[0]._replace(
            logits=mean([out.logits for out in outs]),
            future=mean([out.future for out in outs]),
        )

    @classmethod
    def _changed_config(
        cls, config: dict[str, Any], changes: dict[str, Any]
    ) -> NoReturn:
        raise ValueError(
            f"A saved {cls.__name__} cannot be loaded with another "
            f"{', '.join(sorted(changes))}; load and fine-tune the networks "
            f"that it averages, and average them again"
        )


def mean(found: Sequence[Tensor | None]) -> Tensor | None:
    r"""The mean of tensors, or :obj:`None` if one is missing."""
    known = [tensor for tensor in found if tensor is not None]
    if len(known) < len(found):
        return None
    return torch.stack(known).mean(dim=0)

from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor
from torch.nn import Module, ModuleList

from symgnn_pyg.inference.average_network import SIZES, AverageNetwork, mean
from symgnn_pyg.nn import SymGNN, SymGNNOutput


class Ensemble(AverageNetwork):
    r"""Averages the answers of :math:`S` networks, such as those of several
    seeds:

    .. math::
        \mathbf{z} = \frac{1}{S} \sum_{s=1}^{S} \mathbf{z}_s, \qquad
        \hat{\mathbf{X}}^{+} = \frac{1}{S} \sum_{s=1}^{S}
        \hat{\mathbf{X}}^{+}_s

    where :math:`\mathbf{z}` are class scores before the softmax. The networks
    must have been trained on poses that were normalised alike.

    Args:
        models: The networks.

    Raises:
        TypeError: If :obj:`models` is not a list, or a network is not a
            :class:`~symgnn_pyg.nn.SymGNN`.
        ValueError: If there is none, or their skeletons, sizes or heads
            differ.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]`
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput`, with the mean of
          the actional graphs and the representation of the first network
    """

    def __init__(self, models: Sequence[SymGNN]) -> None:
        super().__init__()
        if isinstance(models, Module):
            raise TypeError(
                f"Expected 'models' to be a list of SymGNNs, got one "
                f"{type(models).__name__}"
            )
        models = list(models)
        if not models:
            raise ValueError("Expected at least one network in 'models'")
        first = models[0]
        for i, model in enumerate(models):
            if not isinstance(model, SymGNN):
                raise TypeError(
                    f"Expected 'models[{i}]' to be a SymGNN, got "
                    f"{type(model).__name__}"
                )
            if not model.fits(first.skeleton):
                raise ValueError(
                    f"Expected 'models' of one skeleton, got "
                    f"{first.skeleton!r} in models[0] and {model.skeleton!r} "
                    f"in models[{i}]"
                )
            for name in SIZES:
                expected, found = getattr(first, name), getattr(model, name)
                if found != expected:
                    raise ValueError(
                        f"Expected 'models' with the same {name!r}, got "
                        f"{expected} in models[0] and {found} in models[{i}]"
                    )
        self.copy_sizes(first)
        self.models = ModuleList(models)

    def to_config(self) -> dict[str, Any]:
        models: Any = self.models
        return {"models": [model.to_config() for model in models]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls([SymGNN.from_config(each) for each in config["models"]])

    def _answers(
        self, x: Tensor, num_bodies: Tensor | None
    ) -> list[SymGNNOutput]:
        outs = [model(x, num_bodies) for model in self.models]
        actional = mean([out.actional for out in outs])
        return [outs[0]._replace(actional=actional), *outs[1:]]

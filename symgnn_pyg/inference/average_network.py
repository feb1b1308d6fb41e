from typing import Any, NoReturn

from symgnn_pyg.nn import SymGNN
from symgnn_pyg.nn.models.pretrained import Pretrained


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
        r"""Takes the skeleton and the sizes of a network.

        Args:
            model: The network.
        """
        self.about = {}
        self.skeleton = model.skeleton
        self.in_channels = model.in_channels
        self.num_classes = model.num_classes
        self.num_observed = model.num_observed
        self.num_future = model.num_future

    @classmethod
    def _changed_config(
        cls, config: dict[str, Any], changes: dict[str, Any]
    ) -> NoReturn:
        raise ValueError(
            f"A saved {cls.__name__} cannot be loaded with another "
            f"{', '.join(sorted(changes))}; load and fine-tune the networks "
            f"that it averages, and average them again"
        )

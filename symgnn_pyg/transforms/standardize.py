import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform


@functional_transform("standardize")
class Standardize(BaseTransform):
    r"""Gives each channel of each joint zero mean and unit variance
    (functional name: :obj:`standardize`). Channels that do not move keep
    their scale. :obj:`bone_x` becomes the difference of the new :obj:`x`.

    Args:
        mean: The mean, of shape :math:`[V, C]`.
        std: The standard deviation, of shape :math:`[V, C]`.
        attrs: The attributes to normalise.
            (default: :obj:`("x", "future")`)
    """

    CONSTANT = 1e-4

    def __init__(
        self,
        mean: Tensor,
        std: Tensor,
        attrs: tuple[str, ...] = ("x", "future"),
    ) -> None:
        self.mean = mean
        self.std = torch.where(std > self.CONSTANT, std, torch.ones_like(std))
        self.attrs = attrs

    def forward(self, data: Data) -> Data:
        for name in self.attrs:
            if name in data:
                value = data[name]  # [V, T, C]
                data[name] = (value - self.mean[:, None]) / self.std[:, None]
        if "bone_x" in data and "x" in self.attrs:
            child, parent = data.skeleton.bone_index
            data.bone_x = data.x[child] - data.x[parent]
        return data

    def inverse(self, x: Tensor) -> Tensor:
        r"""Takes normalised poses back to the unit of the data.

        Args:
            x: The poses, of shape :math:`[N \cdot V, T, C]`.

        Raises:
            ValueError: If the rows are no multiple of :math:`V`.
        """
        if x.size(0) % self.mean.size(0) != 0:
            raise ValueError(
                f"'x' has {x.size(0)} rows (shape {list(x.shape)}), which is "
                f"no multiple of the {self.mean.size(0)} joints"
            )
        num_samples = x.size(0) // self.mean.size(0)
        mean = self.mean.to(x).repeat(num_samples, 1).unsqueeze(1)
        std = self.std.to(x).repeat(num_samples, 1).unsqueeze(1)
        return x * std + mean

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}(attrs={self.attrs})"

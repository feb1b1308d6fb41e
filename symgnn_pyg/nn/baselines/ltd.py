import math

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Dropout, Module, ModuleList, Parameter, Tanh
from torch.nn.init import uniform_

from symgnn_pyg import Skeleton, ops
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline


def dct_matrix(num_frames: int) -> Tensor:
    r"""The orthonormal discrete cosine transform (DCT-II), whose inverse is
    its transpose, of shape :math:`[T, T]` and double precision:

    .. math::
        \mathbf{D}_{k,t} = \sqrt{\frac{2 - \delta_{k,0}}{T}} \cos \left(
        \frac{\pi}{T} \left( t + \frac{1}{2} \right) k \right)

    Args:
        num_frames: The number of frames :math:`T`.
    """
    frame = torch.arange(num_frames, dtype=torch.float64)
    angle = math.pi / num_frames * torch.outer(frame, frame + 0.5)
    matrix = math.sqrt(2 / num_frames) * angle.cos()
    matrix[0] /= math.sqrt(2)
    return matrix


class FreeGraphConv(Module):
    r"""A graph convolution with a graph that is learned freely:
    :math:`\mathbf{Y} = \mathbf{A} \mathbf{X} \mathbf{W} + \mathbf{b}`.

    Args:
        num_nodes: The number of nodes :math:`J`.
        in_channels: Size of each input sample :math:`C_{in}`.
        out_channels: Size of each output sample :math:`C_{out}`.

    Shapes:
        - **input:** node features :math:`[M \cdot J, C_{in}]`
        - **output:** node features :math:`[M \cdot J, C_{out}]`
    """

    def __init__(
        self, num_nodes: int, in_channels: int, out_channels: int
    ) -> None:
        super().__init__()
        self.graph = Parameter(torch.empty(num_nodes, num_nodes))
        self.weight = Parameter(torch.empty(1, in_channels, out_channels))
        self.bias = Parameter(torch.empty(out_channels))
        for parameter in self.parameters():
            uniform_(parameter, -(out_channels**-0.5), out_channels**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return ops.graph_mix(x, [self.graph], self.weight) + self.bias


class FreeLayer(Module):
    r"""The convolution, batch normalisation per node, tanh and dropout."""

    def __init__(
        self, num_nodes: int, in_channels: int, channels: int, dropout: float
    ) -> None:
        super().__init__()
        self.num_nodes = num_nodes
        self.conv = FreeGraphConv(num_nodes, in_channels, channels)
        self.norm = BatchNorm1d(num_nodes * channels)
        self.tanh = Tanh()
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        samples = h.view(-1, self.num_nodes * h.size(1))
        return self.dropout(self.tanh(self.norm(samples).view_as(h)))


class LTD(Baseline):
    r"""The network of the `"Learning Trajectory Dependencies for Human Motion
    Prediction" <https://arxiv.org/abs/1908.05436>`_ paper: each coordinate of
    each joint is a node, its features are the DCT coefficients of its
    trajectory, the last observed pose standing for the future, and twelve
    residual blocks of two layers each predict what to add to them.

    Left out: the loss on the observed frames, which are reconstructed, too.
    All coefficients are kept, as in the paper's experiments. With the 66
    coordinates of Human3.6M, 10 observed and 25 predicted frames it has 2.56
    million parameters and with 10 predicted frames 2.55 million, which is what
    the published code has. In training a batch takes two bodies or more.

    Args:
        skeleton: The skeleton.
        num_classes: Ignored.
        num_observed: The number of observed frames.
        num_future: The number of frames to predict.
        in_channels: Size of a joint's pose. (default: :obj:`3`)
        history: How many of the last observed frames it sees, or all if fewer
            are observed. (default: :obj:`10`)
        channels: The width of the layers. (default: :obj:`256`)
        num_blocks: The number of residual blocks. (default: :obj:`12`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Raises:
        ValueError: If :obj:`history` is smaller than 1.
    """

    dct: Tensor

    def __init__(
        self,
        skeleton: Skeleton,
        num_classes: int,
        num_observed: int,
        num_future: int,
        in_channels: int = 3,
        history: int = 10,
        channels: int = 256,
        num_blocks: int = 12,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            skeleton, num_classes, num_observed, num_future, in_channels
        )
        if history < 1:
            raise ValueError(f"'history' must be at least 1, got {history}")
        self.history = min(history, num_observed)
        dct = dct_matrix(self.history + num_future).to(
            torch.get_default_dtype()
        )
        self.register_buffer("dct", dct, persistent=False)
        nodes = skeleton.num_joints * in_channels
        self.first = FreeLayer(nodes, dct.size(0), channels, dropout)
        self.layers = ModuleList(
            FreeLayer(nodes, channels, channels, dropout)
            for _ in range(2 * num_blocks)
        )
        self.last = FreeGraphConv(nodes, channels, dct.size(0))

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        r"""Runs the forward pass.

        Args:
            x: The observed sequences, of shape :math:`[M \cdot V, T, C]`.
            num_bodies: Ignored: each body moves alone.
        """
        seen = self.samples(x)[:, :, -self.history :].mT  # [M, V, C, T]
        still = seen[..., -1:].expand(*seen.shape[:-1], self.num_future)
        padded = torch.cat([seen, still], dim=-1).flatten(0, 2)
        coefficients = padded @ self.dct.t()  # [M*V*C, T + T']
        h = self.first(coefficients)
        for i in range(0, len(self.layers), 2):
            h = h + self.layers[i + 1](self.layers[i](h))
        frames = (coefficients + self.last(h)) @ self.dct
        future = frames[:, self.history :].unflatten(0, (-1, self.in_channels))
        shared = h.unflatten(0, (-1, self.in_channels)).flatten(1)
        return SymGNNOutput(None, future.mT, None, shared)

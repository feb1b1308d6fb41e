import math

import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Dropout, Module, ModuleList, Parameter
from torch.nn.init import uniform_

from symgnn_pyg import Skeleton, ops
from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn import SymGNNOutput
from symgnn_pyg.nn.baselines.baseline import Baseline
from symgnn_pyg.nn.fixed_buffers import FixedBuffers


def dct_matrix(num_frames: int) -> Tensor:
    r"""The matrix of the orthonormal discrete cosine transform (DCT-II), of
    shape :math:`[T, T]` in double precision. Its inverse is its transpose.

    .. math::
        \mathbf{D}_{k,t} = \sqrt{\frac{2 - \delta_{k,0}}{T}} \cos \left(
        \frac{\pi}{T} \left( t + \frac{1}{2} \right) k \right)
    """
    frame = torch.arange(num_frames, dtype=torch.float64, device="cpu")
    angle = math.pi / num_frames * torch.outer(frame, frame + 0.5)
    matrix = math.sqrt(2 / num_frames) * angle.cos()
    matrix[0] /= math.sqrt(2)
    return matrix


class DenseGraphConv(Module):
    r"""A graph convolution with a trainable adjacency matrix:
    :math:`\mathbf{Y} = \mathbf{A} \mathbf{X} \mathbf{W} + \mathbf{b}`.

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
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        bound = self.bias.numel() ** -0.5
        for parameter in self.parameters():
            uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return ops.graph_mix(x, [self.graph], self.weight) + self.bias


class DenseGraphLayer(Module):
    r"""A graph convolution, batch normalisation per node and channel, tanh
    and dropout.

    Shapes:
        - **input:** node features :math:`[M \cdot J, C_{in}]`
        - **output:** node features :math:`[M \cdot J, C_{out}]`
    """

    def __init__(
        self, num_nodes: int, in_channels: int, channels: int, dropout: float
    ) -> None:
        super().__init__()
        self.num_nodes = num_nodes
        self.conv = DenseGraphConv(num_nodes, in_channels, channels)
        self.norm = BatchNorm1d(num_nodes * channels)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        samples = h.view(-1, self.num_nodes * h.size(1))
        return self.dropout(self.norm(samples).view_as(h).tanh())


class LTD(Baseline, FixedBuffers):
    r"""The network from the `"Learning Trajectory Dependencies for Human
    Motion Prediction" <https://arxiv.org/abs/1908.05436>`_ paper (LTD). Each
    coordinate of each joint is a node, and its features are the DCT
    coefficients of its trajectory, padded with the last observed pose for the
    frames to predict. Twelve residual blocks of two layers

    .. math::
        \mathbf{H}' = \textrm{Dropout}(\tanh(\textrm{BN}(\mathbf{A}
        \mathbf{H} \mathbf{W} + \mathbf{b})))

    with trainable matrices :math:`\mathbf{A}` predict what to add to the
    coefficients. All coefficients are kept, as in the paper's experiments.

    The output covers only the future frames; the paper's loss includes the
    reconstruction of the observed ones. In training, a batch needs at least
    two bodies for the batch normalisation.

    With the 66 coordinates of Human3.6M, 10 observed and 10 predicted frames
    it has 2.55 million parameters, as published, and 2.56 million with 25
    predicted frames.

    Args:
        skeleton: The skeleton, of :math:`V` joints.
        num_future: The number of frames to predict :math:`T'`.
            (default: :obj:`25`)
        in_channels: Size of a joint's pose :math:`C`. (default: :obj:`3`)
        num_recent: How many of the last observed frames it reads; older
            frames are ignored. (default: :obj:`10`)
        channels: The width of the layers. (default: :obj:`256`)
        num_blocks: The number of residual blocks. (default: :obj:`12`)
        dropout: The dropout probability. (default: :obj:`0.5`)

    Raises:
        ValueError: If a size is smaller than 1.

    Shapes:
        - **input:** observed sequences :math:`[M \cdot V, T, C]` of
          :math:`M` bodies, with at least :obj:`num_recent` frames
        - **output:** a :class:`~symgnn_pyg.nn.SymGNNOutput` with poses
          :math:`[M \cdot V, T', C]`
    """

    dct: Tensor

    def __init__(
        self,
        skeleton: Skeleton | str,
        num_future: int = 25,
        *,
        in_channels: int = 3,
        num_recent: int = 10,
        channels: int = 256,
        num_blocks: int = 12,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(skeleton, in_channels, min_frames=num_recent)
        self._keep_arguments(locals())
        check_sizes(
            1,
            num_future=num_future,
            num_recent=num_recent,
            channels=channels,
            num_blocks=num_blocks,
        )
        self.num_future = num_future
        self.num_recent = num_recent
        dct = dct_matrix(num_recent + num_future)
        self.register_fixed("dct", dct)
        nodes = self.skeleton.num_joints * in_channels
        self.first = DenseGraphLayer(nodes, dct.size(0), channels, dropout)
        self.layers = ModuleList(
            DenseGraphLayer(nodes, channels, channels, dropout)
            for _ in range(2 * num_blocks)
        )
        self.last = DenseGraphConv(nodes, channels, dct.size(0))

    def forward(
        self, x: Tensor, num_bodies: Tensor | None = None
    ) -> SymGNNOutput:
        seen = self.samples(x)[:, :, -self.num_recent :].mT  # [M, V, C, k]
        still = seen[..., -1:].expand(*seen.shape[:-1], self.num_future)
        padded = torch.cat([seen, still], dim=-1).flatten(0, 2)
        coefficients = padded @ self.dct.t()  # [M*V*C, k + T']
        h = self.first(coefficients)
        for i in range(0, len(self.layers), 2):
            h = h + self.layers[i + 1](self.layers[i](h))
        frames = (coefficients + self.last(h)) @ self.dct
        future = frames[:, self.num_recent :].unflatten(
            0, (-1, self.in_channels)
        )
        shared = h.unflatten(0, (-1, self.in_channels)).flatten(1)
        return SymGNNOutput(None, future.mT, None, shared)

from functools import partial
from math import gcd

import torch
from torch import Tensor
from torch.nn import Conv2d, LazyConv2d, Module

from symgnn_pyg.errors import check_sizes
from symgnn_pyg.nn.in_channels import set_in_channels


class TemporalConv(Module):
    r"""The temporal convolution (TC) of equations (6b) and (8b) of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper: a 1-D convolution along time with kernel :math:`\tau`, stride
    :math:`s` and padding :math:`(\tau - 1) / 2`, times the dilation, the same
    for each node.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`, or :obj:`-1` to
            infer it from the first batch.
        out_channels: Size of each output sample :math:`C_{out}`.
        kernel_size: The kernel :math:`\tau`, in frames, odd.
            (default: :obj:`5`)
        stride: The stride :math:`s`, in frames. (default: :obj:`1`)
        dilation: The distance between the frames of the kernel.
            (default: :obj:`1`)

    Shapes:
        - **input:** node features :math:`[M, T, C_{in}]`
        - **output:** node features
          :math:`[M, \lceil T / s \rceil, C_{out}]`

    Raises:
        ValueError: If :obj:`kernel_size` is even, or a size, :obj:`stride` or
            :obj:`dilation` is smaller than 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 5,
        *,
        stride: int = 1,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        set_in_channels(self, in_channels, "conv.weight")
        check_sizes(1, out_channels=out_channels)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f"'kernel_size' must be odd and at least 1, got {kernel_size}"
            )
        check_sizes(1, stride=stride, dilation=dilation)
        make = LazyConv2d if in_channels == -1 else partial(Conv2d, in_channels)
        self.conv: Conv2d = make(
            out_channels,
            kernel_size=(1, kernel_size),
            stride=(1, stride),
            padding=(0, dilation * (kernel_size - 1) // 2),
            dilation=(1, dilation),
        )

    def initialize_parameters(self, in_channels: int) -> None:
        # Loading alone would leave the `in_channels` of the convolution at 0.
        if isinstance(self.conv, LazyConv2d):
            self.conv.initialize_parameters(torch.empty(1, in_channels, 1, 1))

    def reset_parameters(self) -> None:
        r"""Resets all learnable parameters of the module."""
        self.conv.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[M, T, C_{in}]`.
        """
        if torch.compiler.is_compiling():
            # No view may depend on the numbers of rows and frames.
            return self.conv(x.mT.unsqueeze(2)).squeeze(2).mT
        # Up to 16 rows form a channels-last image [C, R, T], without a copy:
        # torch's convolution is faster on fewer and larger images.
        size = gcd(x.size(0), 16)
        images = x.unflatten(0, (x.size(0) // size, size)).permute(0, 3, 1, 2)
        return self.conv(images).permute(0, 2, 3, 1).flatten(0, 1)

from torch import Tensor
from torch.nn import Conv2d, Module

from symgnn_pyg.nn.conv.has_hooks import has_hooks
from symgnn_pyg.ops.strided_linear import strided_linear
from symgnn_pyg.ops.temporal_images import images, rows


class TemporalConv(Module):
    r"""The temporal convolution (TC) of equations (6b) and (8b) of the
    `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human Action
    Recognition and Motion Prediction" <https://arxiv.org/abs/1910.02212>`_
    paper: a 1-D convolution along time with kernel :math:`\tau`, stride
    :math:`s` and padding :math:`(\tau - 1) / 2`, the same for each node.

    Args:
        in_channels: Size of each input sample :math:`C_{in}`.
        out_channels: Size of each output sample :math:`C_{out}`.
        kernel_size: The kernel :math:`\tau`, in frames, odd.
        stride: The stride :math:`s`, in frames. (default: :obj:`1`)

    Shapes:
        - **input:** node features :math:`[M, T, C_{in}]`
        - **output:** node features
          :math:`[M, \lceil T / s \rceil, C_{out}]`

    Raises:
        ValueError: If :obj:`kernel_size` is even, or it or :obj:`stride` is
            smaller than 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
    ) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f"'kernel_size' must be odd and at least 1, got {kernel_size}"
            )
        if stride < 1:
            raise ValueError(f"'stride' must be at least 1, got {stride}")
        self.conv = Conv2d(
            in_channels,
            out_channels,
            kernel_size=(1, kernel_size),
            stride=(1, stride),
            padding=(0, (kernel_size - 1) // 2),
        )

    def reset_parameters(self) -> None:
        r"""Draws new weights."""
        self.conv.reset_parameters()

    def is_as_built(self) -> bool:
        r"""Whether the convolution is still the one that this layer made."""
        conv = self.conv
        return (
            type(conv) is Conv2d
            and conv.kernel_size[0] == conv.stride[0] == 1
            and conv.padding == (0, (conv.kernel_size[1] - 1) // 2)
            and conv.dilation == (1, 1)
            and conv.groups == 1
            and conv.padding_mode == "zeros"
        )

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: Node features, of shape :math:`[M, T, C_{in}]`.
        """
        conv = self.conv
        if (
            self.is_as_built()
            and conv.kernel_size[1] == 1
            and not has_hooks(conv)
        ):
            weight = conv.weight.flatten(1)  # [C_out, C_in]
            return strided_linear(x, weight, conv.bias, conv.stride[1])
        return rows(conv(images(x)))

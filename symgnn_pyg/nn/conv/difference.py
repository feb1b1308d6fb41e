from torch import Tensor
from torch.nn import Module

from symgnn_pyg import ops
from symgnn_pyg.errors import check_sizes


class Difference(Module):
    r"""The difference operator, equation (9), as a layer; see
    :func:`symgnn_pyg.ops.difference`.

    Args:
        order: The order :math:`b`: 0 is position, 1 velocity, 2 acceleration.
            (default: :obj:`1`)

    Raises:
        ValueError: If :obj:`order` is negative.

    Shapes:
        - **input:** sequences :math:`[*, T, C]`
        - **output:** sequences :math:`[*, T, C]`
    """

    def __init__(self, order: int = 1) -> None:
        super().__init__()
        check_sizes(0, order=order)
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the forward pass.

        Args:
            x: The sequences, of shape :math:`[*, T, C]`.
        """
        return ops.difference(x, self.order)

    def extra_repr(self) -> str:
        return f"order={self.order}"

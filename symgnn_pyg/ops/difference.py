import torch
from torch import Tensor


def difference(x: Tensor, order: int = 1) -> Tensor:
    r"""The difference operator, equation (9) of the `"Symbiotic Graph Neural
    Networks for 3D Skeleton-based Human Action Recognition and Motion
    Prediction" <https://arxiv.org/abs/1910.02212>`_ paper:

    .. math::
        \mathcal{D}^0 \mathbf{x}_t = \mathbf{x}_t, \qquad
        \mathcal{D}^b \mathbf{x}_t = \mathcal{D}^{b-1} \mathbf{x}_t -
        \mathcal{D}^{b-1} \mathbf{x}_{t-1}

    Each application is zero-padded at the front, so the number of frames
    stays the same and order :math:`b` is order 1 applied :math:`b` times.
    Orders 0, 1 and 2 are position, velocity and acceleration, in the unit of
    :obj:`x` per frame and per frame squared.

    Args:
        x: The sequences, of shape :math:`[*, T, C]`.
        order: The order :math:`b`, at least 0.

    Returns:
        A tensor of the shape of :obj:`x`.

    Raises:
        ValueError: If :obj:`order` is negative.
    """
    if order < 0:
        raise ValueError(f"'order' must not be negative, got {order}")
    for _ in range(order):
        step = x[..., 1:, :] - x[..., :-1, :]
        x = torch.cat([torch.zeros_like(x[..., :1, :]), step], dim=-2)
    return x

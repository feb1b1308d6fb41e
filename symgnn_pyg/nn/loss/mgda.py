import torch
from torch import Tensor, distributed


def mgda_weight(recognition_grad: Tensor, prediction_grad: Tensor) -> Tensor:
    r"""The weight :math:`\alpha` for which :math:`\alpha \mathbf{g}_r + (1 -
    \alpha) \mathbf{g}_p` is the shortest vector: the two-task closed form of
    the multiple-gradient descent algorithm, from the `"Multi-Task Learning as
    Multi-Objective Optimization" <https://arxiv.org/abs/1810.04650>`_ paper:

    .. math::
        \alpha = \textrm{clip} \left( \frac{(\mathbf{g}_p -
        \mathbf{g}_r)^{\top} \mathbf{g}_p}{\Vert \mathbf{g}_r - \mathbf{g}_p
        \Vert_2^2}, \, 0, \, 1 \right)

    In distributed training, the products of the gradients are averaged over
    all processes, which therefore share one :math:`\alpha`. Half-precision
    gradients are multiplied in single precision, since :math:`1 - \alpha` may
    be too small for half precision.

    Args:
        recognition_grad: The gradient :math:`\mathbf{g}_r`, of any shape.
        prediction_grad: The gradient :math:`\mathbf{g}_p`, of the same shape.

    Returns:
        The scalar :math:`\alpha`, which is 0.5 if both gradients are equal.
    """
    dtype = torch.promote_types(recognition_grad.dtype, torch.float)
    prediction_grad = prediction_grad.to(dtype)
    gap = prediction_grad - recognition_grad
    products = torch.stack([(gap * prediction_grad).sum(), gap.square().sum()])
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(products)
        products /= distributed.get_world_size()
    along, square = products
    alpha = along / square
    return torch.where(square > 0, alpha, 0.5).clamp(0.0, 1.0)

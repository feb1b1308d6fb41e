from typing import get_args

import torch
from torch import Tensor, distributed

from symgnn_pyg.errors import check_choices
from symgnn_pyg.typing import Normalization

NORMALIZATIONS = get_args(Normalization)


def mgda_weight(
    recognition_grad: Tensor,
    prediction_grad: Tensor,
    losses: tuple[Tensor, Tensor] | None = None,
    *,
    normalization: Normalization = "none",
) -> Tensor:
    r"""The weight :math:`\alpha` of the recognition loss by the two-task closed
    form of the multiple-gradient descent algorithm, from the `"Multi-Task
    Learning as Multi-Objective Optimization"
    <https://arxiv.org/abs/1810.04650>`_ paper. With gradients
    :math:`\mathbf{u}_r = \mathbf{g}_r / c_r` and :math:`\mathbf{u}_p =
    \mathbf{g}_p / c_p`, it finds the shortest vector :math:`\beta \mathbf{u}_r
    + (1 - \beta) \mathbf{u}_p`,

    .. math::
        \beta = \textrm{clip} \left( \frac{(\mathbf{u}_p -
        \mathbf{u}_r)^{\top} \mathbf{u}_p}{\Vert \mathbf{u}_r - \mathbf{u}_p
        \Vert_2^2}, \, 0, \, 1 \right), \qquad
        \alpha = \frac{\beta / c_r}{\beta / c_r + (1 - \beta) / c_p}

    The scale :math:`c` of a task is 1 (:obj:`"none"`, as in the paper), the
    norm of its gradient (:obj:`"l2"`), its loss (:obj:`"loss"`) or the product
    of both (:obj:`"loss+"`). With :obj:`"none"`, a task whose gradient nearly
    vanishes, such as recognition once it is learned, takes all the weight;
    with :obj:`"l2"`, both tasks move the shared representation equally far:
    :math:`\alpha = \Vert \mathbf{g}_p \Vert / (\Vert \mathbf{g}_r \Vert + \Vert
    \mathbf{g}_p \Vert)`, and a task without a gradient has no weight.

    In a distributed run the products of gradients are averaged over the
    processes, so that all of them use the same :math:`\alpha`. Gradients are
    divided by their largest entry before they are multiplied, so that single
    precision suffices for gradients of any size.

    Args:
        recognition_grad: The gradient :math:`\mathbf{g}_r`, of any shape.
        prediction_grad: The gradient :math:`\mathbf{g}_p`, of the same shape.
        losses: The recognition and the prediction loss, required by
            :obj:`"loss"` and :obj:`"loss+"`. (default: :obj:`None`)
        normalization: The scale of each task. (default: :obj:`"none"`)

    Returns:
        The scalar :math:`\alpha`, or 0.5 if all weights are equally good.

    Raises:
        ValueError: If :obj:`normalization` is unknown, or :obj:`losses` are
            missing, or the gradients have different shapes.
    """
    check_choices(NORMALIZATIONS, normalization=normalization)
    if recognition_grad.shape != prediction_grad.shape:
        raise ValueError(
            f"Expected gradients of the same shape, got "
            f"{list(recognition_grad.shape)} and {list(prediction_grad.shape)}"
        )
    if losses is None and normalization.startswith("loss"):
        raise ValueError(
            f"'losses' are required for the normalization {normalization!r}"
        )
    dtype = torch.promote_types(recognition_grad.dtype, torch.float)
    grads = [recognition_grad.to(dtype), prediction_grad.to(dtype)]
    # Divided by its largest entry, a gradient of any size can be squared.
    largest = _over_processes(
        torch.stack([grad.abs().max() for grad in grads]), largest=True
    )
    r, p = (
        grad / size
        for grad, size in zip(grads, largest.where(largest > 0, 1), strict=True)
    )
    products = [(r * r).sum(), (p * p).sum(), (r * p).sum()]
    products += [loss.detach().to(r) for loss in losses or ()]
    numbers = _over_processes(torch.stack(products))
    lengths = numbers[:2].sqrt()
    cosine = _ratio(numbers[2], lengths.prod(), 0.0).clamp(-1.0, 1.0)
    norms = largest * lengths
    scales = relative = norms / norms.max().clamp(min=torch.finfo(dtype).tiny)
    by_norm = normalization in ("l2", "loss+")
    if not by_norm:
        scales = torch.ones_like(norms)
    # The lengths of u_r and u_p, times c_r c_p, since scales may be zero.
    units = torch.ones_like(norms) if by_norm else relative
    if normalization in ("loss", "loss+"):
        scales = scales * numbers[3:]
        units = units * numbers[3:].flip(0)
    u_r, u_p = units / units.max().clamp(min=torch.finfo(dtype).tiny)
    gap = (u_r - u_p) ** 2 + 2 * u_r * u_p * (1 - cosine)
    # The difference of equal vectors is a rounding error.
    gap = gap.where(gap > 16 * torch.finfo(dtype).eps, 0.0)
    beta = _ratio(u_p * (u_p - u_r * cosine), gap, 0.5).clamp(0.0, 1.0)
    c_r, c_p = scales
    recognition, prediction = beta * c_p, (1 - beta) * c_r
    alpha = _ratio(recognition, recognition + prediction, 0.5)
    if by_norm:
        # A gradient of zero has no direction: the other one has all the weight.
        has_r, has_p = (norms > 0).to(alpha.dtype)
        alone = (has_r - has_p + 1) / 2
        alpha = torch.where(has_r * has_p > 0, alpha, alone)
    return alpha


def _ratio(above: Tensor, below: Tensor, otherwise: float) -> Tensor:
    """A quotient, or a number where the divisor is zero."""
    return (above / below).where(below != 0, otherwise)


def _over_processes(numbers: Tensor, largest: bool = False) -> Tensor:
    """The mean or the largest of each number over all processes."""
    if not distributed.is_available() or not distributed.is_initialized():
        return numbers
    if largest:
        distributed.all_reduce(numbers, distributed.ReduceOp.MAX)
        return numbers
    distributed.all_reduce(numbers)
    return numbers / distributed.get_world_size()

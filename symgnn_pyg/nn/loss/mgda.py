from typing import Literal, get_args

import torch
from torch import Tensor, distributed

Normalization = Literal["none", "l2", "loss", "loss+"]
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
    processes, so that all of them use the same :math:`\alpha`. Products are
    computed in double precision: gradients of any size have a weight.

    Args:
        recognition_grad: The gradient :math:`\mathbf{g}_r`, of any shape.
        prediction_grad: The gradient :math:`\mathbf{g}_p`, of the same shape.
        losses: The recognition and the prediction loss, required by
            :obj:`"loss"` and :obj:`"loss+"`. (default: :obj:`None`)
        normalization: The scale of each task. (default: :obj:`"none"`)

    Returns:
        The scalar :math:`\alpha`, or 0.5 if nothing tells the tasks apart.

    Raises:
        ValueError: If :obj:`normalization` is unknown, or :obj:`losses` are
            missing, or the gradients have different shapes.
    """
    check_normalization(normalization)
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
    r, p = recognition_grad.double(), prediction_grad.double()
    terms = [(r * r).sum(), (p * p).sum(), (r * p).sum()]
    if losses is not None:
        terms += [loss.detach().double() for loss in losses]
    numbers = torch.stack(terms)
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(numbers)
        numbers = numbers / distributed.get_world_size()
    rr, pp, rp = numbers[:3]
    c_r = c_p = torch.ones_like(rr)
    if normalization in ("l2", "loss+"):
        c_r, c_p = rr.sqrt(), pp.sqrt()
    if normalization in ("loss", "loss+"):
        c_r, c_p = c_r * numbers[3], c_p * numbers[4]
    # All is multiplied by (c_r c_p)^2, so that scales may be zero.
    rr, pp, rp = rr * c_p**2, pp * c_r**2, rp * c_r * c_p
    gap = rr + pp - 2 * rp
    beta = torch.where(gap > 0, (pp - rp) / gap, 0.5).clamp(0.0, 1.0)
    recognition, prediction = beta * c_p, (1 - beta) * c_r
    total = recognition + prediction
    alpha = torch.where(total > 0, recognition / total, 0.5)
    if normalization in ("l2", "loss+"):
        # A gradient of zero has no direction: the other one has all the weight.
        has_r, has_p = (numbers[:2] > 0).to(alpha.dtype)
        alone = (has_r - has_p + 1) / 2
        alpha = torch.where(has_r * has_p > 0, alpha, alone)
    return alpha.to(dtype)


def check_normalization(normalization: str) -> None:
    r"""Raises :class:`ValueError` for an unknown normalization."""
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"'normalization' must be one of {NORMALIZATIONS}, got "
            f"{normalization!r}"
        )

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from symgnn_pyg.errors import check_tensors
from symgnn_pyg.typing import UNLABELLED


def fit_fusion_weights(scores: Tensor, labels: Tensor) -> Tensor:
    r"""The weights by which to add the class scores of several networks, such
    as those of joints and bones, fitted on validation samples. They minimise

    .. math::
        \sum_{n=1}^{N} \textrm{CE} \left( \sum_{s=1}^{S} w_s \,
        \mathbf{z}_{s,n}, \, y_n \right) + \frac{1}{2} \sum_{s=1}^{S}
        (\log S w_s)^2

    over positive :math:`w_s`. The second term keeps them near :math:`1 / S`
    where there are few samples or all of them are recognised. The sum of the
    weights is an inverse temperature, so it also calibrates the fused
    probabilities. The one weight of a :class:`~symgnn_pyg.nn.DualSymGNN`, which
    only shares out its two networks, is fitted by its
    :meth:`~symgnn_pyg.nn.DualSymGNN.fit_recognition_weight`.

    Args:
        scores: The class scores before the softmax, or logarithms of
            probabilities, of shape :math:`[S, N, K]`.
        labels: The true classes, of shape :math:`[N]`; -100 for samples
            without one, which do not count.

    Returns:
        The weights, of shape :math:`[S]`.

    Raises:
        TypeError: If an argument is not a tensor, or labels are not integers.
        ValueError: If the shapes do not fit, scores are not finite, or a label
            is not one of the :math:`K` classes.

    Example:
        >>> weights = fit_fusion_weights(torch.stack([joint, bone]), labels)
        >>> fused = weights[0] * joint + weights[1] * bone
    """
    check_tensors(scores=scores, labels=labels)
    if labels.dtype.is_floating_point or labels.dtype == torch.bool:
        raise TypeError(f"Expected 'labels' of integers, got {labels.dtype}")
    if (
        scores.dim() != 3
        or not scores.size(0)
        or labels.shape != scores.shape[1:2]
    ):
        raise ValueError(
            f"Expected 'scores' of shape [S, N, K] and 'labels' of shape [N], "
            f"got {list(scores.shape)} and {list(labels.shape)}"
        )
    if not scores.isfinite().all():
        raise ValueError("'scores' must be finite, got NaN or infinity")
    num_classes = scores.size(2)
    known = labels.long()
    wrong = ((known < 0) | (known >= num_classes)) & (known != UNLABELLED)
    if wrong.any():
        raise ValueError(
            f"Expected 'labels' from 0 to {num_classes - 1}, as 'scores' are "
            f"of {num_classes} classes, got {int(known[wrong][0])}"
        )
    # Tensors of inference mode could not be differentiated.
    with torch.inference_mode(False), torch.enable_grad():
        found = _minimise(scores.detach().double().clone(), known.clone())
    return found.to(scores)


def _minimise(scores: Tensor, labels: Tensor) -> Tensor:
    change = scores.new_zeros(scores.size(0)).requires_grad_()  # log(S w)
    optimiser = torch.optim.LBFGS(
        [change], max_iter=100, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        weights = change.exp() / scores.size(0)
        fused = torch.einsum("s,snk->nk", weights, scores)
        value = cross_entropy(fused, labels, reduction="sum")
        value = value + 0.5 * change.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return change.detach().exp() / scores.size(0)

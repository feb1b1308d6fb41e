import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def fit_fusion_weights(scores: Tensor, labels: Tensor) -> Tensor:
    r"""The weights by which to add the class scores of several networks, such
    as those of joints and bones, fitted on validation samples. They minimise

    .. math::
        \sum_{n=1}^{N} \textrm{CE} \left( \sum_{s=1}^{S} w_s \,
        \mathbf{z}_{s,n}, \, y_n \right) + \frac{1}{2} \sum_{s=1}^{S}
        (\log S w_s)^2

    over positive :math:`w_s`. The second term keeps them near :math:`1 / S`
    where there are few samples or all of them are recognised. The sum of the
    weights is a temperature, so it also calibrates the fused probabilities.

    Args:
        scores: The class scores before the softmax, or logarithms of
            probabilities, of shape :math:`[S, N, K]`.
        labels: The true classes, of shape :math:`[N]`.

    Returns:
        The weights, of shape :math:`[S]`.

    Raises:
        ValueError: If the shapes do not fit, or scores are not finite.

    Example:
        >>> weights = fit_fusion_weights(torch.stack([joint, bone]), labels)
        >>> fused = weights[0] * joint + weights[1] * bone
    """
    if scores.dim() != 3 or labels.shape != scores.shape[1:2]:
        raise ValueError(
            f"Expected 'scores' of shape [S, N, K] and 'labels' of shape [N], "
            f"got {list(scores.shape)} and {list(labels.shape)}"
        )
    if not scores.isfinite().all():
        raise ValueError("'scores' must be finite, got NaN or infinity")
    exact = scores.detach().double()
    change = exact.new_zeros(scores.size(0)).requires_grad_()  # log(S w)
    optimiser = torch.optim.LBFGS(
        [change], max_iter=100, line_search_fn="strong_wolfe"
    )

    def weights() -> Tensor:
        return change.exp() / scores.size(0)

    def loss() -> Tensor:
        optimiser.zero_grad()
        fused = torch.einsum("s,snk->nk", weights(), exact)
        value = cross_entropy(fused, labels, reduction="sum")
        value = value + 0.5 * change.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)
    return weights().detach().to(scores)

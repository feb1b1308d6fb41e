from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

# Norms above FACTOR times their moving average, which decays by DECAY per step,
# are clipped.
FACTOR, DECAY = 3.0, 0.99


@torch.no_grad()
def clip_gradients(parameters: Iterable[Parameter], usual: Tensor) -> Tensor:
    r"""Scales gradients down in place if their norm :math:`g` exceeds three
    times its moving average :math:`u`, which does not depend on the scale of
    the losses:

    .. math::
        g' = \min(g, 3 u), \qquad u' = 0.99 u + 0.01 g'

    A decoder that feeds its predictions back can amplify a gradient by
    millions, and the moments of Adam remember such a gradient for a thousand
    steps. Gradients that are zero or not finite do not change the average.

    Args:
        parameters: The parameters.
        usual: The moving average :math:`u`, zero before the first step.

    Returns:
        The new moving average :math:`u'`.
    """
    parameters = [p for p in parameters if p.grad is not None]
    norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
    usual = usual.to(norm)
    most = torch.where(usual > 0, FACTOR * usual, torch.inf)
    clip_grads_with_norm_(parameters, most, norm)  # type: ignore[arg-type]
    clipped = torch.minimum(norm, most)
    following = torch.where(
        usual > 0, torch.lerp(clipped, usual, DECAY), clipped
    )
    return torch.where(norm.isfinite() & (norm > 0), following, usual)

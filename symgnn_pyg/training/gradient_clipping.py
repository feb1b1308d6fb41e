from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

# Norms above FACTOR times the average of earlier ones are clipped. In the
# average, each step counts DECAY times as much as the step after it.
FACTOR, DECAY = 3.0, 0.99


@torch.no_grad()
def clip_gradients(parameters: Iterable[Parameter], seen: Tensor) -> Tensor:
    r"""Scales gradients down in place if their norm :math:`g_n` in step
    :math:`n` exceeds three times the average of earlier norms, which does not
    depend on the scale of the losses:

    .. math::
        g_n' = \min \left( g_n, \, 3 \, \frac{s_{n-1}}{c_{n-1}} \right), \qquad
        s_n = 0.99 \, s_{n-1} + g_n', \qquad c_n = 0.99 \, c_{n-1} + 1

    A decoder that feeds its predictions back can amplify a gradient by
    millions, and the moments of Adam remember such a gradient for a thousand
    steps. Gradients that are zero or not finite do not change the average.
    :obj:`seen` holds :math:`s_{n-1}` and :math:`c_{n-1}`, zeros before the
    first step; the function returns :math:`s_n` and :math:`c_n`.
    """
    parameters = [*parameters]
    norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
    total, count = seen = seen.to(norm)
    most = torch.where(count > 0, FACTOR * total / count, torch.inf)
    clip_grads_with_norm_(parameters, most, norm)  # type: ignore[arg-type]
    clipped = torch.minimum(norm, most)
    following = DECAY * seen + torch.stack([clipped, torch.ones_like(clipped)])
    return torch.where(norm.isfinite() & (norm > 0), following, seen)

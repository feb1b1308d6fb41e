import torch
from torch import Tensor


def draw_uniform(sample: Tensor, low: float, high: float, *size: int) -> Tensor:
    r"""Numbers drawn evenly from :obj:`low` to :obj:`high` for each sample,
    equal for its bodies, of shape :math:`[M, *]` in double precision.

    Args:
        sample: The index of each body's sample, rising, of shape
            :math:`[M]`.
        low: The least number.
        high: The greatest number.
        *size: How many numbers a sample gets. (default: one, of shape
            :math:`[M]`)
    """
    drawn = torch.rand(
        int(sample[-1]) + 1, *size, dtype=torch.double, device=sample.device
    )
    return (low + (high - low) * drawn)[sample]

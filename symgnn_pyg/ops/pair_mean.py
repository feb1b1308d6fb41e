import torch
from torch import Tensor

from symgnn_pyg.ops.recompute import recompute

# Numbers of all pairs of a few samples: few enough for a core's cache, and
# enough for the work of a call to outweigh the call.
SCRATCH = 2**18


def pair_mean(a: Tensor, b: Tensor, self_pairs: bool = False) -> Tensor:
    r"""The mean of the activated pairs of each joint,

    .. math::
        \mathbf{y}_i = \frac{1}{V - 1} \sum_{j \neq i}
        \textrm{ReLU}(\mathbf{a}_i + \mathbf{b}_j)

    which stands between the two linear layers of :math:`f_e` in equation (1)
    of the `"Symbiotic Graph Neural Networks for 3D Skeleton-based Human
    Action Recognition and Motion Prediction"
    <https://arxiv.org/abs/1910.02212>`_ paper. On a CPU it walks the samples
    a few at a time. Only :obj:`a` and :obj:`b` are saved for the backward
    pass.

    Args:
        a: The terms of the targets :math:`i`, of shape :math:`[N, V, D]`.
        b: The terms of the sources :math:`j`, of shape :math:`[N, V, D]`.
        self_pairs: If set to :obj:`True`, the mean is over all :math:`V`
            joints, including :math:`j = i`. (default: :obj:`False`)

    Returns:
        A tensor of the shape of :obj:`a`; zeros if a joint has no partner.

    Raises:
        ValueError: If :obj:`a` and :obj:`b` do not have the same shape
            :math:`[N, V, D]`.
    """
    if a.dim() != 3 or a.shape != b.shape:
        raise ValueError(
            f"Expected 'a' and 'b' of the same shape [N, V, D], got "
            f"{list(a.shape)} and {list(b.shape)}"
        )

    def mean(a: Tensor, b: Tensor) -> Tensor:
        # Long sums of half precision would lose digits.
        wide = torch.promote_types(a.dtype, torch.float32)
        a, b = a.to(wide), b.to(wide)
        # In place: a second tensor of all pairs would not fit into the cache.
        total = (a.unsqueeze(2) + b.unsqueeze(1)).relu_().sum(dim=2)
        if not self_pairs:
            total = total - (a + b).relu_()
        return total / max(1, a.size(1) - int(not self_pairs))

    if a.device.type != "cpu" or torch.compiler.is_compiling():
        return recompute(mean, a, b).to(a.dtype)
    size = max(1, SCRATCH // max(1, a.size(1) * a[:1].numel()))
    blocks = zip(a.split(size), b.split(size), strict=True)
    return torch.cat([recompute(mean, *block) for block in blocks]).to(a.dtype)

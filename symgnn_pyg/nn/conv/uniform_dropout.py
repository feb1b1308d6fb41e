import torch
from torch import Tensor
from torch.nn import Dropout


class UniformDropout(Dropout):
    r"""Dropout that draws uniform numbers, which is faster on a CPU than the
    Bernoulli numbers of :class:`torch.nn.Dropout`
    (`python -m benchmarks.train_step`).
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p in (0.0, 1.0) or x.device.type != "cpu":
            return super().forward(x)
        keep = 1.0 - self.p
        # A uniform number of 8 bits, as bfloat16 has, is too often below.
        wide = torch.promote_types(x.dtype, torch.float32)
        # Saved for the backward pass is one byte per number.
        mask = torch.rand_like(x, dtype=wide).lt(keep).view(torch.uint8)
        return (x * mask).mul_(1.0 / keep)

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import accumulate

import torch
from torch import Tensor

Formula = Callable[[Tensor, Tensor, Tensor], Tensor]
Kernel = Callable[[Tensor, Tensor, Tensor, Sequence[int]], Tensor]


def equal_sizes(formula: Formula) -> Kernel:
    r"""Makes a kernel of a formula for samples of one size: features
    :math:`[N, V, P, C_{in}]`, graphs :math:`[N, K, V, V]` and weights
    :math:`[K, C_{in}, C_{out}]` to features :math:`[N, V, P, C_{out}]`.
    Samples of unequal sizes are gathered size by size.
    """

    @wraps(formula)
    def kernel(
        x: Tensor, graphs: Tensor, weight: Tensor, sizes: Sequence[int]
    ) -> Tensor:
        if len(sizes) == 1:
            num_samples = x.size(0) // sizes[0]
            pairs = (num_samples, weight.size(0), sizes[0], sizes[0])
            samples = x.unflatten(0, (num_samples, sizes[0]))
            out = formula(samples, graphs.view(pairs), weight)
            return out.flatten(0, 1)
        first_row = [0, *accumulate(sizes)]
        length = [weight.size(0) * size**2 for size in sizes]
        entries = graphs.split(length)
        rows, parts = [], []
        for size in dict.fromkeys(sizes):
            members = [n for n, own in enumerate(sizes) if own == size]
            first = torch.tensor([first_row[n] for n in members])
            index = (first.unsqueeze(1) + torch.arange(size)).to(x.device)
            stacked = torch.stack([entries[n] for n in members])
            stacked = stacked.unflatten(1, (-1, size, size))  # [N, K, V, V]
            parts.append(formula(x[index], stacked, weight).flatten(0, 1))
            rows.append(index.flatten())
        if not parts:
            # There are no rows, but gradients, of zeros, to all inputs.
            return x @ weight.sum(dim=0) + graphs.sum()
        return torch.cat(parts)[torch.cat(rows).argsort()]

    return kernel

import torch
from torch import Tensor

from symgnn_pyg.ops.equal_sizes import equal_sizes
from symgnn_pyg.ops.product import matmul


@equal_sizes
def graph_mix_stacked(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""All graphs of all samples in one product, frame by frame, and all
    weights in another: two large products, which accumulate in full
    precision and cost :math:`K` times the memory of the features.
    """
    num_graphs, width, out_width = weight.shape
    stack = graphs.transpose(1, 2).flatten(1, 2)  # [N, V*K, V]
    frames = x.transpose(1, 2)  # [N, P, V, C]: no copy where P = 1
    mixed = torch.matmul(stack.unsqueeze(1), frames)  # [N, P, V*K, C]
    out = matmul(mixed.view(-1, num_graphs * width), weight.flatten(0, 1))
    out = out.view(*frames.shape[:3], out_width)
    return out.transpose(1, 2).reshape(*x.shape[:3], out_width)

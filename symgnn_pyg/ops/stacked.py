from collections.abc import Sequence

import torch
from torch import Tensor

from symgnn_pyg.ops.equal_sizes import equal_sizes
from symgnn_pyg.ops.keep_inputs import Found, keep_inputs
from symgnn_pyg.ops.product import matmul, product


def _gradients(
    grad: Tensor,
    x: Tensor,
    graphs: Tensor,
    weight: Tensor,
    needs: Sequence[bool],
) -> Found:
    num_graphs, width, _ = weight.shape
    stack, frames = _stacks(x, graphs)
    rows = grad.transpose(1, 2).flatten(0, 2)
    grad_x = grad_graphs = grad_weight = None
    if needs[2]:
        mixed = _side_by_side(torch.matmul(stack, frames), num_graphs)
        grad_weight = product(rows.t(), mixed).t()
        grad_weight = grad_weight.unflatten(0, (num_graphs, width))
        del mixed
    if needs[0] or needs[1]:
        hops = product(rows, weight.flatten(0, 1).t())
        hops = hops.view(*frames.shape[:2], stack.size(2), width)
    if needs[0]:
        grad_x = torch.matmul(stack.mT, hops).transpose(1, 2)
    if needs[1]:
        grad_stack = torch.matmul(hops, frames.mT).sum(dim=1)  # [N, V*K, V]
        transposed = grad_stack.view_as(graphs.transpose(1, 2))
        grad_graphs = transposed.transpose(1, 2)
    return grad_x, grad_graphs, grad_weight


@equal_sizes
@keep_inputs(_gradients)
def graph_mix_stacked(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""All graphs of all samples in one product, frame by frame, and all
    weights in another: two large products, which accumulate in full
    precision and cost :math:`K` times the memory of the features while they
    run.
    """
    num_graphs, _, out_width = weight.shape
    stack, frames = _stacks(x, graphs)
    mixed = _side_by_side(torch.matmul(stack, frames), num_graphs)
    out = matmul(mixed, weight.flatten(0, 1))
    out = out.view(*frames.shape[:3], out_width)
    return out.transpose(1, 2).reshape(*x.shape[:3], out_width)


def _side_by_side(mixed: Tensor, num_graphs: int) -> Tensor:
    r"""Views :math:`[N, P, V K, C]` as :math:`[N P V, K C]`."""
    n, frames, rows, width = mixed.shape
    shape = n * frames * rows // num_graphs, num_graphs * width
    return mixed.view(shape)


def _stacks(x: Tensor, graphs: Tensor) -> tuple[Tensor, Tensor]:
    r"""The graphs as :math:`[N, 1, V K, V]` and the features as
    :math:`[N, P, V, C]`: no copy where :math:`P = 1`."""
    return graphs.transpose(1, 2).flatten(1, 2).unsqueeze(1), x.transpose(1, 2)

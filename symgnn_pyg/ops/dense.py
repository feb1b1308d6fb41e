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
    samples = x.reshape(*x.shape[:2], x.size(2) * x.size(3))
    rows = grad.flatten(0, 2)
    grad_x = torch.zeros_like(samples) if needs[0] else None
    grad_graphs = torch.empty_like(graphs) if needs[1] else None
    grad_weight = torch.empty_like(weight) if needs[2] else None
    for k, w in enumerate(weight):
        graph = graphs[:, k]
        if grad_weight is not None:
            mixed = torch.bmm(graph, samples).view(x.shape).flatten(0, 2)
            grad_weight[k] = product(rows.t(), mixed).t()
        if needs[0] or needs[1]:
            hop = product(rows, w.t()).view_as(samples)
        if grad_x is not None:
            grad_x.baddbmm_(graph.mT, hop)
        if grad_graphs is not None:
            grad_graphs[:, k] = torch.bmm(hop, samples.mT)
    if grad_x is not None:
        grad_x = grad_x.view_as(x)
    return grad_x, grad_graphs, grad_weight


@equal_sizes
@keep_inputs(_gradients)
def graph_mix_dense(x: Tensor, graphs: Tensor, weight: Tensor) -> Tensor:
    r"""One batched product and one accumulating product a graph, on
    node-major memory, without a copy or a permute.
    """
    samples = x.reshape(*x.shape[:2], x.size(2) * x.size(3))  # [N, V, P*C]
    out: Tensor | None = None
    for k, w in enumerate(weight):
        # Mixing first is the cheaper order where C_in <= C_out, as it is in
        # nearly all layers.
        mixed = torch.bmm(graphs[:, k], samples)
        out = matmul(mixed.view(x.shape).flatten(0, 2), w, out)
    assert out is not None
    return out.view(*x.shape[:3], weight.size(2))

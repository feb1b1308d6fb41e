import torch
from torch import Tensor

from symgnn_pyg.ops.equal_sizes import equal_sizes
from symgnn_pyg.ops.keep_inputs import keep_inputs
from symgnn_pyg.ops.product import matmul, product


def _gradients(
    grad: Tensor, x: Tensor, graphs: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    samples = x.reshape(*x.shape[:2], x.size(2) * x.size(3))
    rows = grad.reshape(-1, grad.size(3))
    grad_samples = torch.zeros_like(samples)
    grad_graphs, grad_weight = torch.empty_like(graphs), []
    for k, w in enumerate(weight):
        mixed = torch.bmm(graphs[:, k], samples).view(-1, x.size(3))
        grad_weight.append(product(rows.t(), mixed).t())
        hop = product(rows, w.t()).view_as(samples)
        grad_samples.baddbmm_(graphs[:, k].mT, hop)
        grad_graphs[:, k] = torch.bmm(hop, samples.mT)
    return grad_samples.view_as(x), grad_graphs, torch.stack(grad_weight)


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
        mixed = torch.bmm(graphs[:, k], samples).view(-1, x.size(3))
        out = matmul(mixed, w, out)
    assert out is not None
    return out.view(*x.shape[:3], weight.size(2))

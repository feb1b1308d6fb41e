import torch
from torch import Tensor

from symgnn_pyg.ops.equal_sizes import equal_sizes
from symgnn_pyg.ops.product import matmul


@equal_sizes
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

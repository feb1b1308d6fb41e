"""ST-GCN on the operators of the field's published code.

It computes the same function with the same weights as
:class:`symgnn_pyg.nn.baselines.STGCN`, from which it is built: features
[M, C, T, V], in each block one 1x1 convolution to K times the channels and an
einsum with the K graphs, then a (tau, 1) convolution.
"""

import copy

import torch
from torch import Tensor
from torch.nn import Conv2d, Module, ModuleList, Parameter

from benchmarks.rivals.sym_gnn import Block
from symgnn_pyg.nn import GraphMixConv
from symgnn_pyg.nn.baselines import STGCN


class EinsumConv(Module):
    """One 1x1 convolution for all graphs, then an einsum with them."""

    def __init__(self, ours: GraphMixConv) -> None:
        super().__init__()
        self.masked_graph = copy.deepcopy(ours.masked_graph)
        k, c, d = ours.weight.shape
        self.conv = Conv2d(c, k * d, kernel_size=1, bias=False)
        weight = ours.weight.detach().mT.flatten(0, 1)  # [K*D, C]
        self.conv.weight = Parameter(weight[..., None, None].clone())

    def forward(self, x: Tensor) -> Tensor:
        graphs = torch.stack(tuple(self.masked_graph()))  # [K, V, V]
        y = self.conv(x).unflatten(1, (len(graphs), -1))
        return torch.einsum("nkctv,kwv->nctw", y, graphs)


class RivalSTGCN(Module):
    """The network on the field's operators that computes the same as
    :obj:`ours`.
    """

    def __init__(self, ours: STGCN) -> None:
        super().__init__()
        self.num_joints = ours.skeleton.num_joints
        self.norm = copy.deepcopy(ours.norm)
        self.blocks = ModuleList(
            Block(block, EinsumConv) for block in ours.blocks
        )
        self.classify = copy.deepcopy(ours.classify)

    def forward(self, x: Tensor) -> Tensor:
        """Scores [N, K] of sequences [N, B, T, V, C] of B bodies each."""
        num_samples, num_bodies = x.shape[:2]
        h = x.flatten(0, 1).permute(0, 2, 3, 1)  # [N*B, V, C, T]
        h = self.norm(h.flatten(1, 2)).unflatten(1, (self.num_joints, -1))
        h = h.permute(0, 2, 3, 1).contiguous()  # [N*B, C, T, V]
        for block in self.blocks:
            h = block(h)
        h = h.mean(dim=(2, 3)).view(num_samples, num_bodies, -1)
        return self.classify(h.mean(dim=1))

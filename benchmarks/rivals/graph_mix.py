"""The operator Y = sum_k A_k X W_k as other libraries compute it.

Our implementations of the orders of operation that the field uses, after its
papers and published code. Each takes the leaves of a :class:`Problem` in its
preferred layout, which is prepared before timing starts.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d
from torch_geometric.nn import MessagePassing


class Problem(NamedTuple):
    """One instance of the operator, node-major.

    Args:
        x: Features [N*V, T, C].
        graphs: K matrices, each [V, V] or [N, V, V].
        weight: Weights [K, C, D].
    """

    x: Tensor
    graphs: list[Tensor]
    weight: Tensor

    @staticmethod
    def random(n: int, v: int, t: int, c: int, d: int, k: int) -> "Problem":
        """Structural graphs that the batch shares and one actional graph."""
        shared = [torch.rand(v, v) / v for _ in range(k - 1)]
        actional = torch.randn(n, v, v).softmax(dim=-1)
        weight = torch.randn(k, c, d) / (c * k) ** 0.5
        return Problem(torch.randn(n * v, t, c), [*shared, actional], weight)

    def to(
        self, dtype: torch.dtype, device: torch.device | None = None
    ) -> "Problem":
        """The same problem in another precision or on another device."""
        x, graphs, weight = self
        return Problem(
            x.to(device, dtype),
            [graph.to(device, dtype) for graph in graphs],
            weight.to(device, dtype),
        )


class Candidate:
    """A way to compute the operator. A subclass sets :attr:`leaves`, the
    tensors that require gradients, features first, and is called without
    arguments.

    Args:
        problem: What to compute.
    """

    leaves: Sequence[Tensor]

    def __init__(self, problem: Problem) -> None:
        x, graphs, weight = problem
        self.leaves = [leaf(x), leaf(weight), *map(leaf, graphs)]

    def __call__(self) -> Tensor:
        raise TypeError(f"{type(self).__name__} computes nothing")

    def node_major(self, tensor: Tensor) -> Tensor:
        """Features in the layout of this candidate as [N*V, T, C]."""
        return tensor


def leaf(tensor: Tensor) -> Tensor:
    """A contiguous copy that requires gradients."""
    return (
        tensor.detach()
        .clone(memory_format=torch.contiguous_format)
        .requires_grad_()
    )


class ChannelsFirst(Candidate):
    """Features [N, C, T, V], the layout of the field's code."""

    def __init__(self, problem: Problem) -> None:
        x, graphs, weight = problem
        self.num_joints = graphs[0].size(-1)
        samples = x.unflatten(0, (-1, self.num_joints))  # [N, V, T, C]
        super().__init__(
            Problem(
                samples.permute(0, 3, 2, 1),
                [graph.mT for graph in graphs],  # joints mix along columns
                weight.mT[..., None, None],  # [K, D, C, 1, 1]
            )
        )

    def node_major(self, tensor: Tensor) -> Tensor:
        return tensor.permute(0, 3, 2, 1).flatten(0, 1)


class AGCN(ChannelsFirst):
    """The order of adaptive graph convolution: for each graph a product with
    A, then a 1x1 convolution.
    """

    def __call__(self) -> Tensor:
        x, weight, *graphs = self.leaves
        return agcn_order(x, weight, graphs)


def agcn_order(x: Tensor, weight: Tensor, graphs: Iterable[Tensor]) -> Tensor:
    """A product and a convolution for each graph, on [N, C, T, V]."""
    n, c, t, v = x.shape
    out: Tensor | None = None
    for graph, w in zip(graphs, weight, strict=True):
        mixed = torch.matmul(x.view(n, c * t, v), graph.expand(n, v, v))
        y = conv2d(mixed.view(n, c, t, v), w)
        out = y if out is None else out + y
    assert out is not None
    return out


class STGCN(ChannelsFirst):
    """The order of ST-GCN: one 1x1 convolution to K times the channels, then
    an einsum with the graphs, which are one per sample.
    """

    def __call__(self) -> Tensor:
        x, weight, *graphs = self.leaves
        n, _, t, v = x.shape
        y = conv2d(x, weight.flatten(0, 1)).view(n, len(graphs), -1, t, v)
        stack = torch.stack([graph.expand(n, v, v) for graph in graphs], dim=1)
        return torch.einsum("nkctv,nkvw->nctw", y, stack)


class NaiveLayer(MessagePassing):
    """A plain layer of PyG, with one message per edge, frame and channel."""

    def __init__(self) -> None:
        super().__init__(aggr="sum", node_dim=0)

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_weight: Tensor, weight: Tensor
    ) -> Tensor:
        out = x.new_zeros(())
        for e, w in zip(edge_weight.unbind(dim=-1), weight, strict=True):
            out = out + self.propagate(edge_index, x=x, edge_weight=e) @ w
        return out

    def message(self, x_j: Tensor, edge_weight: Tensor) -> Tensor:
        return edge_weight.view(-1, 1, 1) * x_j


class MessagePassingNaive(Candidate):
    """PyG message passing along all edges of all samples."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.layer = NaiveLayer()
        v = problem.graphs[0].size(-1)
        x = problem.x
        node = torch.arange(x.size(0), device=x.device).view(-1, v)
        source = node.unsqueeze(1).expand(-1, v, -1)  # [N, V, V]
        target = node.unsqueeze(2).expand(-1, -1, v)
        self.edge_index = torch.stack([source.flatten(), target.flatten()])

    def __call__(self) -> Tensor:
        x, weight, *graphs = self.leaves
        n = x.size(0) // graphs[0].size(-1)
        each = [graph.expand(n, -1, -1).flatten() for graph in graphs]
        edge_weight = torch.stack(each, dim=-1)
        out: Tensor = self.layer(x, self.edge_index, edge_weight, weight)
        return out


Make = Callable[[Problem], Candidate]


class Compiled(Candidate):
    """A candidate under `torch.compile`."""

    def __init__(self, problem: Problem, make: Make) -> None:
        candidate = make(problem)
        self.leaves = candidate.leaves
        self.node_major = candidate.node_major  # type: ignore[method-assign]
        self.compiled = torch.compile(lambda: candidate())

    def __call__(self) -> Tensor:
        return self.compiled()


RIVALS: dict[str, Make] = {
    "AGCN order": AGCN,
    "ST-GCN einsum": STGCN,
    "PyG messages": MessagePassingNaive,
}
COMPILED: dict[str, Make] = {
    f"{name}, compiled": partial(Compiled, make=make)
    for name, make in RIVALS.items()
}

"""The operator on arbitrary edges: the kernel beside messages and sparse
matrices.

    python -m benchmarks.edges

The graphs are batches of random trees, their edges are those of several hops,
and gradients are due for the features, the weights of the edges and W. On one
hop a node gets three messages only: there the products with W, which all
candidates have in common, bound what a kernel can save.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing

from benchmarks.measure import (
    Table,
    arguments,
    interleaved,
    peak_bytes,
    ratios,
    write,
)
from symgnn_pyg import ops
from symgnn_pyg.nn import hop_edges

# N, V, T, C, D, hops
SHAPES = (
    (16, 25, 75, 64, 64, 4),
    (32, 26, 50, 32, 32, 4),
    (16, 25, 75, 64, 64, 1),
)
QUICK = ((4, 25, 20, 32, 32, 4), (4, 26, 10, 16, 16, 1))
BASE = "PyG messages"
OURS = "symgnn_pyg"


class Problem(NamedTuple):
    """One instance of the operator."""

    x: Tensor  # [N*V, T, C]
    edge_index: Tensor  # [2, E]
    edge_weight: Tensor  # [E, K]
    weight: Tensor  # [K, C, D]

    @staticmethod
    def random(n: int, v: int, t: int, c: int, d: int, hops: int) -> "Problem":
        """Trees whose branches are long, like those of a skeleton."""
        joint = torch.arange(1, v).expand(n, -1)
        back = torch.randint(1, 4, joint.shape)
        first = v * torch.arange(n).unsqueeze(1)
        parent = (joint - back).clamp(min=0) + first
        bones = torch.stack([parent.flatten(), (joint + first).flatten()])
        edge_index, edge_weight = hop_edges(
            torch.cat([bones, bones.flip(0)], dim=1), n * v, hops
        )
        shuffled = torch.randperm(edge_index.size(1))
        weight = torch.randn(hops, c, d) / (c * hops) ** 0.5
        return Problem(
            torch.randn(n * v, t, c),
            edge_index[:, shuffled],
            edge_weight[shuffled],
            weight,
        )

    def to(self, dtype: torch.dtype) -> "Problem":
        """The same problem in another precision."""
        x, edge_index, edge_weight, weight = self
        x, edge_weight, weight = (
            tensor.detach().to(dtype).requires_grad_()
            for tensor in (x, edge_weight, weight)
        )
        return Problem(x, edge_index, edge_weight, weight)


class Messages(MessagePassing):
    """The formula as PyG's users write it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(aggr="sum", node_dim=0)
        self.problem = problem

    def forward(self) -> Tensor:
        x, edge_index, edge_weight, weight = self.problem
        out = 0
        for e, w in zip(edge_weight.unbind(-1), weight, strict=True):
            out = out + self.propagate(edge_index, x=x, edge_weight=e) @ w
        return out

    def message(self, x_j: Tensor, edge_weight: Tensor) -> Tensor:
        return edge_weight.view(-1, 1, 1) * x_j


class Matrices:
    """One product of a sparse matrix and the features a hop, which are sorted
    and compressed before the clock runs.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        (source, target), num_nodes = problem.edge_index, problem.x.size(0)
        # torch derives wrong gradients where the columns of a row are not
        # in order.
        self.order = (target * num_nodes + source).argsort()
        edge_index = problem.edge_index[:, self.order]
        self.edges = EdgeIndex(
            edge_index, sparse_size=(num_nodes, num_nodes), sort_order="col"
        )
        (self.ptr, self.source), _ = self.edges.get_csc()

    def __call__(self) -> Tensor:
        x, _, edge_weight, weight = self.problem
        features, out = x.flatten(1), 0
        for e, w in zip(edge_weight.unbind(-1), weight, strict=True):
            mixed = self.product(e[self.order], features)
            out = out + mixed.view_as(x) @ w
        return out

    def product(self, edge_weight: Tensor, features: Tensor) -> Tensor:
        raise NotImplementedError


class TorchSparse(Matrices):
    """With torch's own matrices."""

    def product(self, edge_weight: Tensor, features: Tensor) -> Tensor:
        size = (features.size(0),) * 2
        matrix = torch.sparse_csr_tensor(
            self.ptr, self.source, edge_weight, size
        )
        return matrix @ features


class EdgeIndexMatmul(Matrices):
    """With PyG's."""

    def product(self, edge_weight: Tensor, features: Tensor) -> Tensor:
        return self.edges.matmul(features, edge_weight, transpose=True)


Make = Callable[[Problem], Callable[[], Tensor]]

CANDIDATES: dict[str, Make] = {
    OURS: lambda problem: lambda: ops.edge_mix(*problem),
    BASE: Messages,
    "torch.sparse": TorchSparse,
    "EdgeIndex.matmul": EdgeIndexMatmul,
}


def main() -> None:
    args = arguments(__doc__)
    dtype = getattr(torch, args.dtype)
    table = Table(
        f"One layer, as a ratio to {BASE} (median and quartiles)",
        ["N V T C D hops", "candidate", "forward", "training", "memory"],
    )
    budget = (3, 2.0) if args.quick else (11, 30.0)
    for shape in QUICK if args.quick else SHAPES:
        problem = Problem.random(*shape).to(dtype)
        agree(problem, CANDIDATES)
        candidates = {name: make(problem) for name, make in CANDIDATES.items()}
        runs = {name: training(problem, c) for name, c in candidates.items()}
        with torch.no_grad():
            forward = ratios(interleaved(candidates, *budget), BASE)
        times = ratios(interleaved(runs, *budget), BASE)
        peaks = {name: peak_bytes(run) for name, run in runs.items()}
        for name in candidates:
            table.add(
                " ".join(map(str, shape)),
                name,
                forward[name],
                times[name],
                peaks[name] / peaks[BASE],
            )
    write(args, [table, targets(table)])


def training(
    problem: Problem, candidate: Callable[[], Tensor]
) -> Callable[[], tuple[Tensor, ...]]:
    """One forward and backward pass to all that learns."""
    leaves = (problem.x, problem.edge_weight, problem.weight)
    towards = torch.ones_like(candidate())
    return lambda: torch.autograd.grad(candidate(), leaves, towards)


def agree(problem: Problem, make: dict[str, Make]) -> None:
    """Raises AssertionError if a candidate computes something else."""
    exact = problem.to(torch.double)
    expected = Messages(exact)()
    grads = training(exact, Messages(exact))()
    bound = 2e-2 if problem.x.dtype == torch.bfloat16 else 1e-5
    for name, candidate in make.items():
        found = candidate(problem)
        for got, wanted in zip(
            (found(), *training(problem, found)()),
            (expected, *grads),
            strict=True,
        ):
            error = (got - wanted).norm() / wanted.norm()
            assert error < bound, f"{name}: an error of {error}"


def targets(table: Table) -> Table:
    """What was aimed at beside what was measured."""
    found = Table("Targets", ["N V T C D hops", "what", "is", "target", "met"])
    for row in table.rows:
        if row["candidate"] == OURS:
            for what, ratio, target in (
                ("training", row["training"][1], 0.15),
                ("memory", row["memory"], 0.10),
            ):
                met = "yes" if ratio <= target else "no"
                found.add(row["N V T C D hops"], what, ratio, target, met)
    return found


if __name__ == "__main__":
    main()

"""The operator on arbitrary edges: the kernel beside messages and sparse
matrices.

    python -m benchmarks.edges

The graphs are batches of random trees, their edges are those of several hops,
and gradients are due for the features, the weights of the edges and W. On one
hop a node gets three messages only: there the products with W, which all
candidates have in common, bound what a kernel can save.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch_geometric import EdgeIndex

from benchmarks.measure import (
    Table,
    arguments,
    budget,
    interleaved,
    met,
    peak_bytes,
    ratios,
    training,
    write,
)
from benchmarks.rivals.graph_mix import NaiveLayer
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


class Matrices:
    """One product of a sparse matrix and the features a hop, which are sorted
    and compressed before the clock runs.
    """

    def __init__(
        self, problem: Problem, product: Callable[..., Tensor]
    ) -> None:
        self.problem, self.product = problem, product
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
            mixed = self.product(self, e[self.order], features)
            out = out + mixed.view_as(x) @ w
        return out


def torch_sparse(self: Matrices, edge_weight: Tensor, x: Tensor) -> Tensor:
    """The product with torch's own matrices."""
    size = (x.size(0), x.size(0))
    return torch.sparse_csr_tensor(self.ptr, self.source, edge_weight, size) @ x


def edge_index_matmul(self: Matrices, edge_weight: Tensor, x: Tensor) -> Tensor:
    """The product with PyG's."""
    return self.edges.matmul(x, edge_weight, transpose=True)


Make = Callable[[Problem], Callable[[], Tensor]]

CANDIDATES: dict[str, Make] = {
    OURS: lambda problem: partial(ops.edge_mix, *problem),
    BASE: lambda problem: partial(NaiveLayer(), *problem),
    "torch.sparse": partial(Matrices, product=torch_sparse),
    "EdgeIndex.matmul": partial(Matrices, product=edge_index_matmul),
}


def main() -> None:
    args = arguments(__doc__)
    dtype = getattr(torch, args.dtype)
    table = Table(
        f"One layer, as a ratio to {BASE} (median and quartiles)",
        ["N V T C D hops", "candidate", "forward", "training", "memory"],
    )
    for shape in QUICK if args.quick else SHAPES:
        problem = Problem.random(*shape).to(dtype)
        candidates = {name: make(problem) for name, make in CANDIDATES.items()}
        check(problem, candidates)
        runs = {
            name: training(run, leaves(problem))
            for name, run in candidates.items()
        }
        with torch.no_grad():
            forward = ratios(interleaved(candidates, *budget(args.quick)), BASE)
        times = ratios(interleaved(runs, *budget(args.quick)), BASE)
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


def leaves(problem: Problem) -> tuple[Tensor, ...]:
    """All that learns."""
    return problem.x, problem.edge_weight, problem.weight


def check(
    problem: Problem, candidates: dict[str, Callable[[], Tensor]]
) -> None:
    """Raises AssertionError if a candidate computes something else."""
    exact = problem.to(torch.double)
    naive = CANDIDATES[BASE](exact)
    expected = (naive(), *training(naive, leaves(exact))())
    bound = 2e-2 if problem.x.dtype == torch.bfloat16 else 1e-5
    for name, run in candidates.items():
        found = (run(), *training(run, leaves(problem))())
        for got, wanted in zip(found, expected, strict=True):
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
                found.add(
                    row["N V T C D hops"],
                    what,
                    ratio,
                    target,
                    met(ratio, target),
                )
    return found


if __name__ == "__main__":
    main()

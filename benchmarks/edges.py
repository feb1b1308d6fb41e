"""The operator on arbitrary edges, against the other ways that torch, PyG and
torch-scatter have to sum along edges.

    python -m benchmarks.edges
    python -m benchmarks.edges --device cuda

Gradients are computed for the features, the weights of the edges and W. Of the
rivals all but messages get their edges sorted before the clock starts.
"Recomputed" is what symgnn_pyg does on a GPU: it keeps its inputs only.
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from unittest import mock

import torch
import torch_geometric.typing
from torch import Tensor
from torch.nn.functional import embedding_bag
from torch_geometric import EdgeIndex
from torch_geometric.typing import WITH_TORCH_SCATTER
from torch_geometric.utils import segment

from benchmarks.measure import Costs, training
from benchmarks.report import Table, arguments, write
from benchmarks.rivals.graph_mix import NaiveLayer
from symgnn_pyg import ops
from symgnn_pyg.ops.edge_mix import _mix
from symgnn_pyg.ops.edge_sums import sum_segments

# Samples, nodes and edges per sample, T, C, D, K: traffic sensors in batches,
# with one graph and with four; one large graph; and skeletons.
SHAPES = (
    (32, 207, 1_515, 12, 32, 64, 1),
    (32, 207, 1_515, 12, 32, 64, 4),
    (1, 2_000, 20_000, 12, 64, 32, 4),
    (32, 26, 234, 50, 32, 32, 4),
)
QUICK = ((4, 25, 100, 20, 32, 32, 4), (4, 26, 60, 10, 16, 16, 1))
BASE = "PyG messages"
OURS = "symgnn_pyg"


class Problem(NamedTuple):
    """One instance of the operator."""

    x: Tensor  # [N*V, T, C]
    edge_index: Tensor  # [2, E]
    edge_weight: Tensor  # [E, K]
    weight: Tensor  # [K, C, D]

    @staticmethod
    def random(
        n: int, v: int, edges: int, t: int, c: int, d: int, k: int
    ) -> "Problem":
        """Graphs whose edges join any nodes, each pair at most once."""
        pair = torch.rand(n, v * v).argsort(dim=1)[:, :edges]
        first = v * torch.arange(n).unsqueeze(1)
        nodes = [pair % v + first, pair // v + first]
        return Problem(
            torch.randn(n * v, t, c),
            torch.stack([node.flatten() for node in nodes]),
            torch.rand(n * edges, k),
            torch.randn(k, c, d) / (c * k) ** 0.5,
        )

    def to(
        self, dtype: torch.dtype, device: torch.device | None = None
    ) -> "Problem":
        """The same problem in another precision or on another device."""
        x, edge_index, edge_weight, weight = self
        x, edge_weight, weight = (
            tensor.detach().to(device, dtype).requires_grad_()
            for tensor in (x, edge_weight, weight)
        )
        return Problem(x, edge_index.to(device), edge_weight, weight)


class Sorted:
    """One sum along sorted edges per graph, with a product of its own."""

    def __init__(
        self, problem: Problem, product: Callable[..., Tensor]
    ) -> None:
        self.problem, self.product = problem, product
        (source, target), num_nodes = problem.edge_index, problem.x.size(0)
        # Sparse matrices get wrong gradients unless sources are in order, too.
        self.order = (target * num_nodes + source).argsort()
        edge_index = problem.edge_index[:, self.order]
        self.index = EdgeIndex(
            edge_index, sparse_size=(num_nodes, num_nodes), sort_order="col"
        )
        (self.ptr, self.source), _ = self.index.get_csc()

    def __call__(self) -> Tensor:
        x, _, edge_weight, weight = self.problem
        features, out = x.flatten(1), x.new_zeros(())
        for e, w in zip(edge_weight.unbind(-1), weight, strict=True):
            mixed = self.product(self, e[self.order], features)
            out = out + mixed.view_as(x) @ w
        return out


def bags(edges: Sorted, edge_weight: Tensor, x: Tensor) -> Tensor:
    return embedding_bag(
        edges.source,
        x,
        edges.ptr,
        mode="sum",
        per_sample_weights=edge_weight,
        include_last_offset=True,
    )


def segments(edges: Sorted, edge_weight: Tensor, x: Tensor) -> Tensor:
    return segment(edge_weight.unsqueeze(-1) * x[edges.source], edges.ptr)


def csr_matrix(edges: Sorted, edge_weight: Tensor, x: Tensor) -> Tensor:
    size = (x.size(0), x.size(0))
    matrix = torch.sparse_csr_tensor(
        edges.ptr, edges.source, edge_weight, size, check_invariants=False
    )
    return torch.sparse.mm(matrix, x)


def without_torch_scatter(run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same as if torch-scatter were not installed."""

    def plain(*args: Any) -> Tensor:
        with mock.patch.object(
            torch_geometric.typing, "WITH_TORCH_SCATTER", False
        ):
            return run(*args)

    return plain


def edge_index_matmul(edges: Sorted, edge_weight: Tensor, x: Tensor) -> Tensor:
    return edges.index.matmul(x, edge_weight, transpose=True)


Make = Callable[[Problem], Callable[[], Tensor]]

naive: Any = NaiveLayer()
# PyG's `segment` takes torch-scatter where it is installed.
SEGMENTS = "torch_scatter.segment_csr" if WITH_TORCH_SCATTER else "segments"
CANDIDATES: dict[str, Make] = {
    OURS: lambda problem: partial(ops.edge_mix, *problem),
    BASE: lambda problem: partial(naive, *problem),
    "embedding_bag": partial(Sorted, product=bags),
    SEGMENTS: partial(Sorted, product=segments),
    f"{SEGMENTS}, recomputed": lambda problem: partial(
        _mix, sum_segments, *problem
    ),
    "segments, recomputed": lambda problem: without_torch_scatter(
        partial(_mix, sum_segments, *problem)
    ),
    "torch.sparse.mm": partial(Sorted, product=csr_matrix),
    "EdgeIndex.matmul": partial(Sorted, product=edge_index_matmul),
}


def main() -> None:
    args = arguments(__doc__, on_gpu=True)
    table = Table(
        f"One layer, as a ratio to {BASE} (median and quartiles)",
        ["N V E T C D K", "candidate", "forward", "training", "memory"],
    )
    for shape in QUICK if args.quick else SHAPES:
        cells = [" ".join(map(str, shape))]
        table.attempt(cells, partial(add_rows, table, cells, shape, args))
    write(args, [table])


def add_rows(
    table: Table,
    cells: list[str],
    shape: tuple[int, ...],
    args: argparse.Namespace,
) -> None:
    dtype, device = getattr(torch, args.dtype), args.device
    problem = Problem.random(*shape).to(dtype, device)
    exact = problem.to(torch.double)
    naive = CANDIDATES[BASE](exact)
    expected = (naive(), *training(naive, leaves(exact))())
    candidates = table.attempts(
        cells,
        {
            name: partial(checked, make, problem, expected)
            for name, make in CANDIDATES.items()
        },
    )
    runs = {
        name: training(run, leaves(problem)) for name, run in candidates.items()
    }
    costs = Costs.measure(candidates, runs, args.quick, device)
    for name, ratios in costs.relative_to(BASE).items():
        table.add(*cells, name, *ratios)


def leaves(problem: Problem) -> tuple[Tensor, ...]:
    """All that learns."""
    return problem.x, problem.edge_weight, problem.weight


def checked(
    make: Make, problem: Problem, expected: tuple[Tensor, ...]
) -> Callable[[], Tensor]:
    """A candidate; AssertionError if it computes something else."""
    run = make(problem)
    bound = 2e-2 if problem.x.dtype == torch.bfloat16 else 1e-5
    found = (run(), *training(run, leaves(problem))())
    for got, wanted in zip(found, expected, strict=True):
        error = (got - wanted).norm() / wanted.norm()
        assert error < bound, f"an error of {error}"
    return run


if __name__ == "__main__":
    main()

"""The operator Y = sum_k A_k X W_k: every formula beside every rival.

    python -m benchmarks.operators

docs/benchmarks.md shows how your own operator joins the table.
"""

from functools import partial
from statistics import fmean, median

import torch
from torch import Tensor

from benchmarks.ceilings import Ceilings, Work, bytes_to_keep
from benchmarks.measure import (
    CPU,
    Costs,
    agree,
    met,
    training,
    without_recomputation,
)
from benchmarks.report import Table, arguments, write
from benchmarks.rivals.graph_mix import (
    COMPILED,
    RIVALS,
    Candidate,
    Make,
    Problem,
)
from symgnn_pyg import ops

# N, V, T, C, D, K: NTU-RGB+D of two lengths, then the light network on CMU
# Mocap.
SHAPES = (
    (16, 25, 75, 64, 64, 5),
    (16, 25, 300, 64, 64, 5),
    (32, 26, 50, 32, 32, 5),
    (32, 26, 25, 64, 128, 5),
    (32, 26, 10, 128, 256, 5),
)
# A decoder's frame for 32 sequences and for one, and the parts' single graph.
SMALL = (
    (32, 26, 1, 256, 256, 4),
    (1, 26, 1, 256, 256, 4),
    (32, 10, 50, 32, 32, 1),
    (32, 10, 7, 256, 256, 1),
)
QUICK = ((4, 25, 20, 32, 32, 5), (4, 26, 5, 64, 128, 5))
BASE = "AGCN order"
EINSUM, NAIVE = "ST-GCN einsum", "PyG messages"
OURS, PLAIN = "symgnn_pyg", "symgnn_pyg without recomputation"
MEMORY = "training memory"
# Arithmetic at the speed of the largest product; only the results in memory.
CEILING = "at the ceiling"


class Formula(Candidate):
    """The operator of this library by one of its formulas."""

    def __init__(self, problem: Problem, name: str) -> None:
        super().__init__(problem)
        self.name = name

    def __call__(self) -> Tensor:
        x, weight, *graphs = self.leaves
        with ops.use(self.name):
            return ops.graph_mix(x, graphs, weight)


COMPILED_NAIVE = f"{NAIVE}, compiled"
CANDIDATES: dict[str, Make] = {
    OURS: partial(Formula, name="auto"),
    **{
        f"formula {name}": partial(Formula, name=name)
        for name in ops.formula_names()
        # On a CPU it is the dense formula.
        if name != "triton"
    },
    **RIVALS,
    COMPILED_NAIVE: COMPILED[COMPILED_NAIVE],
}


def main() -> None:
    args = arguments(__doc__)
    dtype = getattr(torch, args.dtype)
    table = Table(
        f"One layer as a ratio to the {BASE} (median and quartiles)",
        ["N V T C D K", "candidate", "forward", "training", MEMORY],
    )
    for shape in QUICK if args.quick else SHAPES + SMALL:
        torch._dynamo.reset()  # It stops compiling after eight shapes.
        problem = Problem.random(*shape).to(dtype)
        candidates = {name: make(problem) for name, make in CANDIDATES.items()}
        check(problem, candidates)
        runs = {name: training(c, c.leaves) for name, c in candidates.items()}
        runs[PLAIN] = without_recomputation(runs[OURS])
        costs = Costs.measure(candidates, runs, args.quick)
        # Nothing is saved without gradients.
        costs.forward[PLAIN] = costs.forward[OURS]
        name_of_shape = " ".join(map(str, shape))
        for name, ratios in costs.relative_to(BASE).items():
            table.add(name_of_shape, name, *ratios)
        ceilings = Ceilings.measure(CPU, dtype, args.quick)
        forward, backward = (
            ceilings.least_seconds(*work) / median(seconds[BASE])
            for work, seconds in zip(
                Work.of(problem), (costs.forward, costs.training), strict=True
            )
        )
        memory = bytes_to_keep(problem) / costs.memory[BASE]
        table.add(name_of_shape, CEILING, forward, backward, memory)
    write(args, [table, targets(table)])


def check(problem: Problem, candidates: dict[str, Candidate]) -> None:
    """Raises AssertionError if a candidate computes something else."""
    tolerance = 0.2 if problem.x.dtype == torch.bfloat16 else 1e-3
    outputs, slopes = {}, {}
    exact = Formula(problem.to(torch.double), "reference")
    for name, candidate in {**candidates, "exact": exact}.items():
        out = candidate()
        (slope,) = torch.autograd.grad(out.sum(), candidate.leaves[0])
        outputs[name] = candidate.node_major(out)
        slopes[name] = candidate.node_major(slope)
    for found in (outputs, slopes):
        agree(found, found.pop("exact"), tolerance)


def targets(table: Table) -> Table:
    """What was measured for sequences, beside its target and the limit of the
    machine."""
    small = [" ".join(map(str, shape)) for shape in SMALL]
    large = [row for row in table.rows if row["N V T C D K"] not in small]

    def column(candidate: str, what: str) -> list[float]:
        values = [row[what] for row in large if row["candidate"] == candidate]
        return [v[1] if isinstance(v, tuple) else v for v in values]

    found = Table("Targets", ["what", "measured", "target", "met", CEILING])
    for what, summary, name, rival, target in (
        ("forward, mean over shapes", fmean, "forward", BASE, 0.45),
        ("forward, worst shape", max, "forward", BASE, 0.60),
        ("training, mean over shapes", fmean, "training", BASE, 0.50),
        ("training, worst shape", max, "training", BASE, 0.65),
        (f"training / {EINSUM}, mean", fmean, "training", EINSUM, 0.35),
        ("training memory, mean", fmean, MEMORY, BASE, 0.25),
        (f"training memory / {NAIVE}, mean", fmean, MEMORY, NAIVE, 1 / 50),
    ):
        base = column(rival, name)
        measured, least = (
            summary([v / b for v, b in zip(column(c, name), base, strict=True)])
            for c in (OURS, CEILING)
        )
        found.add(what, measured, target, met(measured, target), least)
    return found


if __name__ == "__main__":
    main()

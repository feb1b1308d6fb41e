"""The operator Y = sum_k A_k X W_k: every kernel beside every rival.

    python -m benchmarks.operators

Your own layer joins the table in five lines:

    from benchmarks import operators

    class Mine(operators.Candidate):        # self.leaves: x, weight, *graphs
        def __call__(self):
            return my_layer(*self.leaves)   # [N*V, T, D]

    operators.CANDIDATES["mine"] = Mine
    operators.main()
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.measure import (
    Table,
    agree,
    arguments,
    budget,
    interleaved,
    mean,
    met,
    peak_bytes,
    ratios,
    training,
    write,
)
from benchmarks.rivals.graph_mix import RIVALS, Candidate, Problem
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
OURS = "symgnn_pyg"


class Kernel(Candidate):
    """The operator of this library with one of its kernels."""

    def __init__(self, problem: Problem, name: str) -> None:
        super().__init__(problem)
        self.name = name

    def __call__(self) -> Tensor:
        x, weight, *graphs = self.leaves
        with ops.use(self.name):
            return ops.graph_mix(x, graphs, weight)


CANDIDATES: dict[str, Callable[[Problem], Candidate]] = {
    OURS: functools.partial(Kernel, name="auto"),
    **{
        f"kernel {name}": functools.partial(Kernel, name=name)
        for name in ops.kernels()
        # For GPUs; here it would be the dense kernel once more.
        if name != "triton"
    },
    **RIVALS,
}


def main() -> None:
    args = arguments(__doc__)
    dtype = getattr(torch, args.dtype)
    table = Table(
        f"One layer as a ratio to the {BASE} (median and quartiles)",
        ["N V T C D K", "candidate", "forward", "training", "training memory"],
    )
    for shape in QUICK if args.quick else SHAPES + SMALL:
        problem = Problem.random(*shape).to(dtype)
        candidates = {name: make(problem) for name, make in CANDIDATES.items()}
        check(problem, candidates)
        runs = {name: training(c, c.leaves) for name, c in candidates.items()}
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
    write(args, [table, *targets(table)])


def check(problem: Problem, candidates: dict[str, Candidate]) -> None:
    """Raises AssertionError if a candidate computes something else."""
    tolerance = 0.2 if problem.x.dtype == torch.bfloat16 else 1e-3
    outputs, slopes = {}, {}
    exact = Kernel(problem.to(torch.double), "reference")
    for name, candidate in {**candidates, "exact": exact}.items():
        out = candidate()
        (slope,) = torch.autograd.grad(out.sum(), candidate.leaves[0])
        outputs[name] = candidate.node_major(out)
        slopes[name] = candidate.node_major(slope)
    for found in (outputs, slopes):
        agree(found, found.pop("exact"), tolerance)


def targets(table: Table) -> list[Table]:
    """What was aimed at for sequences, beside what was measured."""
    small = [" ".join(map(str, shape)) for shape in SMALL]
    large = [row for row in table.rows if row["N V T C D K"] not in small]
    rows = [row for row in large if row["candidate"] == OURS]
    rival = [row for row in large if row["candidate"] == "ST-GCN einsum"]
    naive = [row for row in large if row["candidate"] == "PyG messages"]
    forward = [row["forward"][1] for row in rows]
    training = [row["training"][1] for row in rows]
    memory = [row["training memory"] for row in rows]
    against_einsum = [
        ours / other["training"][1]
        for ours, other in zip(training, rival, strict=True)
    ]
    against_naive = [
        ours / other["training memory"]
        for ours, other in zip(memory, naive, strict=True)
    ]
    found = Table("Targets", ["what", "measured", "target", "met"])
    for what, measured, target in (
        ("forward, mean over shapes", mean(forward), 0.45),
        ("forward, worst shape", max(forward), 0.60),
        ("training, mean over shapes", mean(training), 0.50),
        ("training, worst shape", max(training), 0.65),
        ("training / ST-GCN einsum, mean", mean(against_einsum), 0.35),
        ("training memory, mean", mean(memory), 0.25),
        ("training memory / PyG messages, mean", mean(against_naive), 1 / 50),
    ):
        found.add(what, measured, target, met(measured, target))
    return [found]


if __name__ == "__main__":
    main()

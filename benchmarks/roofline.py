"""The operator Y = sum_k A_k X W_k against the limits of the machine.

    python -m benchmarks.roofline
    python -m benchmarks.roofline --device cuda --dtype bfloat16 --shapes layers

No program is faster than its memory traffic and its arithmetic allow. Both
limits are measured in the same run, with a copy and a product of large
matrices. For each candidate the table gives the time at the tighter limit as a
share of the measured time. All are checked against the formula in float64.
"""

import argparse
import operator
from functools import partial
from operator import itemgetter
from statistics import median
from typing import Any

import torch
from torch import Tensor

from benchmarks import operators
from benchmarks.ceilings import Ceilings, Work
from benchmarks.measure import Costs, Run, agree, met, training
from benchmarks.operators import EINSUM, OURS, Formula
from benchmarks.report import Table, arguments, write
from benchmarks.rivals.graph_mix import (
    COMPILED,
    RIVALS,
    Candidate,
    Compiled,
    Make,
    Problem,
)
from symgnn_pyg import ops

# N, V, T, C, D, K: NTU-RGB+D at the three widths of the full network, then
# those of `benchmarks.operators`.
SHAPES = {
    "widths": tuple((16, 25, 300 * 64 // c, c, c, 5) for c in (64, 128, 256)),
    "layers": operators.SHAPES,
    "small": operators.SMALL,
}
QUICK = ((4, 25, 20, 32, 32, 5),)
SHAPE = "N V T C D K"
BASE = f"{EINSUM}, compiled"
# Of the fastest of our formulas on a GPU, in bfloat16 and at each width: its
# forward pass as a ratio to BASE, training and its memory to the fastest rival.
FORWARD, TRAINING, MEMORY = (1 / 4, 1 / 2.5, 1 / 1.5), 0.45, 0.30
TIMES = ("forward, ms", "training, ms")


def candidates_on(device: torch.device, eager: bool) -> dict[str, Make]:
    found: dict[str, Make] = {OURS: partial(Formula, name="auto")}
    if device.type == "cuda":
        for name in ops.formula_names():
            found[f"formula {name}"] = partial(Formula, name=name)
    if not eager:
        for name in (BASE, "AGCN order, compiled"):
            found[name] = COMPILED[name]
        found[f"{OURS}, compiled"] = partial(Compiled, make=found[OURS])
    return {**found, **RIVALS}


def main() -> None:
    args = arguments(__doc__, on_gpu=True, shapes=list(SHAPES))
    base = EINSUM if args.eager else BASE
    dtype = getattr(torch, args.dtype)
    facts = Table("Ceilings", ["what", "measured"])
    ceilings = facts.attempt(
        ["a copy and a product"],
        partial(Ceilings.measure, args.device, dtype, args.quick),
    )
    if ceilings is None:
        return write(args, [facts])
    facts.add("a copy, GB/s", ceilings.num_bytes / 1e9)
    facts.add("a product, TFLOP/s", ceilings.num_operations / 1e12)
    table = Table(
        f"One layer as a ratio to the {base} (median and quartiles)",
        [
            SHAPE,
            "candidate",
            "forward",
            "training",
            "memory",
            *TIMES,
            "GB/s",
            "TFLOP/s",
            "forward at the ceiling",
            "training at the ceiling",
        ],
    )
    for shape in QUICK if args.quick else SHAPES[args.shapes]:
        work = partial(add_rows, table, shape, ceilings, base, args)
        table.attempt([" ".join(map(str, shape))], work)
    tables = [facts, table]
    if args.device.type == "cuda":
        tables.append(fastest(table))
        if args.shapes == "widths" and not args.eager:
            tables.append(targets(table))
    write(args, tables)


def add_rows(
    table: Table,
    shape: tuple[int, ...],
    ceilings: Ceilings,
    base: str,
    args: argparse.Namespace,
) -> None:
    torch._dynamo.reset()
    device, name_of_shape = args.device, " ".join(map(str, shape))
    problem = Problem.random(*shape).to(getattr(torch, args.dtype), device)
    with torch.no_grad():
        exact = Formula(problem.to(torch.double), "reference")()
    ready = table.attempts(
        [name_of_shape],
        {
            name: partial(prepared, make, problem, exact)
            for name, make in candidates_on(device, args.eager).items()
        },
    )
    candidates = {name: candidate for name, (candidate, _) in ready.items()}
    steps = {name: step for name, (_, step) in ready.items()}
    costs = Costs.measure(candidates, steps, args.quick, device)
    work, training_work = Work.of(problem)
    for name, ratios in costs.relative_to(base).items():
        seconds, training_seconds = (
            median(times[name]) for times in (costs.forward, costs.training)
        )
        table.add(
            name_of_shape,
            name,
            *ratios,
            1e3 * seconds,
            1e3 * training_seconds,
            work.num_bytes / seconds / 1e9,
            work.num_operations / seconds / 1e12,
            ceilings.least_seconds(*work) / seconds,
            ceilings.least_seconds(*training_work) / training_seconds,
        )


def prepared(
    make: Make, problem: Problem, exact: Tensor
) -> tuple[Candidate, Run]:
    """A candidate and its training step, after a check and a first run."""
    candidate = make(problem)
    tolerance = 0.2 if problem.x.dtype == torch.bfloat16 else 1e-2
    with torch.no_grad():
        out = candidate.node_major(candidate())
        agree({"the forward pass": out}, exact, tolerance)
    step = training(candidate, candidate.leaves)
    step()
    return candidate, step


def fastest(table: Table) -> Table:
    """Which of our formulas to choose for each shape."""
    found = Table("The fastest of our formulas", [SHAPE, *TIMES])
    for shape, rows in by_shape(table).items():
        formulas = [
            row for row in rows if row["candidate"].startswith("formula")
        ]
        if formulas:
            best = (min(formulas, key=itemgetter(time)) for time in TIMES)
            found.add(shape, *(row["candidate"] for row in best))
    return found


def targets(table: Table) -> Table:
    found = Table("Targets", [SHAPE, "what", "measured", "target", "met"])
    pairs = zip(by_shape(table).items(), FORWARD, strict=False)
    for (shape, rows), forward in pairs:
        ours = [r for r in rows if r["candidate"].startswith(("formula", OURS))]
        rivals = [row for row in rows if row not in ours]
        base = [row for row in rivals if row["candidate"] == BASE]
        for what, column, against, target in (
            (f"forward, to the {BASE}", TIMES[0], base, forward),
            ("training, to the fastest rival", TIMES[1], rivals, TRAINING),
            ("memory, to the leanest rival", "memory", rivals, MEMORY),
        ):
            if ours and against:
                least = (
                    min(r[column] for r in each) for each in (ours, against)
                )
                ratio = operator.truediv(*least)
                found.add(shape, what, ratio, target, met(ratio, target))
    return found


def by_shape(table: Table) -> dict[str, list[dict[str, Any]]]:
    """The rows without errors."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.rows:
        if "error" not in row:
            found.setdefault(row[SHAPE], []).append(row)
    return found


if __name__ == "__main__":
    main()

"""The operator Y = sum_k A_k X W_k against the limits of the machine.

    python -m benchmarks.roofline
    python -m benchmarks.roofline --device cuda --dtype bfloat16

No program is faster than its memory traffic and its arithmetic allow. Both
limits are measured in the same run, with a copy and a product of large
matrices. For each candidate the table gives the time at the tighter limit as a
share of the measured time.
"""

from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch import Tensor

from benchmarks.ceilings import Ceilings, Work
from benchmarks.measure import (
    Table,
    agree,
    arguments,
    budget,
    interleaved,
    peak_bytes,
    ratios,
    training,
    write,
)
from benchmarks.operators import OURS, Kernel
from benchmarks.rivals.graph_mix import (
    AGCN,
    STGCN,
    Candidate,
    MessagePassingNaive,
    Problem,
)

# N, V, T, C, D, K: NTU-RGB+D at the three widths of the full network.
SHAPES = tuple((16, 25, 300 * 64 // c, c, c, 5) for c in (64, 128, 256))
QUICK = ((4, 25, 20, 32, 32, 5),)
BASE = "ST-GCN einsum, compiled"


class Compiled(Candidate):
    """A candidate under `torch.compile`."""

    def __init__(self, problem: Problem, kind: type[Candidate]) -> None:
        candidate = kind(problem)
        self.leaves = candidate.leaves
        self.node_major = candidate.node_major
        self.compiled = torch.compile(lambda: candidate())

    def __call__(self) -> Tensor:
        return self.compiled()


def candidates_on(
    device: torch.device,
) -> dict[str, Callable[[Problem], Candidate]]:
    found: dict[str, Callable[[Problem], Candidate]] = {
        OURS: partial(Kernel, name="auto")
    }
    if device.type == "cuda":
        found["kernel triton"] = partial(Kernel, name="triton")
    return {
        **found,
        BASE: partial(Compiled, kind=STGCN),
        "AGCN order, compiled": partial(Compiled, kind=AGCN),
        "ST-GCN einsum": STGCN,
        "AGCN order": AGCN,
        "PyG messages": MessagePassingNaive,
    }


def main() -> None:
    args = arguments(__doc__, on_gpu=True)
    device, dtype = args.device, getattr(torch, args.dtype)
    clock = partial(interleaved, device=device)
    ceilings = Ceilings.measure(device, dtype, args.quick)
    facts = Table("Ceilings", ["what", "measured"])
    facts.add("a copy, GB/s", ceilings.num_bytes / 1e9)
    facts.add("a product, TFLOP/s", ceilings.num_operations / 1e12)
    table = Table(
        f"One layer as a ratio to the {BASE} (median and quartiles)",
        [
            "N V T C D K",
            "candidate",
            "forward",
            "training",
            "memory",
            "GB/s",
            "TFLOP/s",
            "forward at the ceiling",
            "training at the ceiling",
        ],
    )
    for shape in QUICK if args.quick else SHAPES:
        torch._dynamo.reset()
        problem = Problem.random(*shape).to(dtype, device)
        candidates = {
            name: make(problem) for name, make in candidates_on(device).items()
        }
        check(candidates, dtype)
        steps = {name: training(c, c.leaves) for name, c in candidates.items()}
        with torch.no_grad():
            forward = clock(candidates, *budget(args.quick))
        backward = clock(steps, *budget(args.quick))
        memory = {
            name: peak_bytes(step, device) for name, step in steps.items()
        }
        add_rows(table, shape, problem, ceilings, forward, backward, memory)
    write(args, [facts, table])


def check(candidates: dict[str, Candidate], dtype: torch.dtype) -> None:
    """Raises AssertionError if a candidate computes something else."""
    tolerance = 0.2 if dtype == torch.bfloat16 else 1e-2
    with torch.no_grad():
        found = {name: c.node_major(c()) for name, c in candidates.items()}
    agree(found, found[OURS], tolerance)


def add_rows(
    table: Table,
    shape: tuple[int, ...],
    problem: Problem,
    ceilings: Ceilings,
    forward: dict[str, list[float]],
    backward: dict[str, list[float]],
    memory: dict[str, int],
) -> None:
    work, training_work = Work.of(problem)
    ratio, training_ratio = (ratios(t, BASE) for t in (forward, backward))
    for name in memory:
        seconds, training_seconds = (
            median(times[name]) for times in (forward, backward)
        )
        table.add(
            " ".join(map(str, shape)),
            name,
            ratio[name],
            training_ratio[name],
            memory[name] / memory[BASE],
            work.num_bytes / seconds / 1e9,
            work.num_operations / seconds / 1e12,
            ceilings.least_seconds(*work) / seconds,
            ceilings.least_seconds(*training_work) / training_seconds,
        )


if __name__ == "__main__":
    main()

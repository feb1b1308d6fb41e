"""The prediction head against a loop over hops and a GRUCell per frame.

python -m benchmarks.decoder
"""

import copy
from functools import partial

import torch

from benchmarks.measure import Costs, agree, training
from benchmarks.report import Table, arguments, targets, write
from benchmarks.rivals.sym_gnn import Decoder, set_in_motion
from symgnn_pyg import Skeleton
from symgnn_pyg.nn import PredictionHead

BASE = "hop by hop, GRUCell"
OURS = "symgnn_pyg"
# For a single sequence.
TARGETS = {"forward": 0.75, "training": 0.55}


def main() -> None:
    args = arguments(__doc__)
    frames = 3 if args.quick else 10
    table = Table(
        f"Decoder of {frames} frames, as a ratio to: {BASE}",
        ["sequences", "candidate", "forward", "training", "training memory"],
    )
    for batch in (1, 32):
        head = PredictionHead(
            512,
            3,
            Skeleton.get("cmu26"),
            num_future=frames,
            num_classes=8,
            num_hops=3,
        )
        set_in_motion(head)
        compiled = copy.deepcopy(head)
        assert compiled.step is not None
        compiled.step.compile()
        modules = {
            OURS: head,
            f"{OURS}, step.compile()": compiled,
            BASE: Decoder(head),
        }
        inputs = (
            torch.randn(batch * 26, 50, 3),
            torch.randn(batch * 26, 512, requires_grad=True),
            torch.randn(batch, 26, 26).softmax(dim=-1).requires_grad_(),
            torch.randn(batch, 8).softmax(dim=-1).requires_grad_(),
        )
        runs = {name: partial(m, *inputs) for name, m in modules.items()}
        agree({name: run() for name, run in runs.items()}, runs[BASE]())
        steps = {
            name: training(run, [*modules[name].parameters(), *inputs[1:]])
            for name, run in runs.items()
        }
        costs = Costs.measure(runs, steps, args.quick)
        for name, ratios in costs.relative_to(BASE).items():
            table.add(batch, name, *ratios)
    row = table.rows[0]
    aims = [
        (f"one sequence, {what}", row[what][1], target)
        for what, target in TARGETS.items()
    ]
    write(args, [table, targets(aims)])


if __name__ == "__main__":
    main()

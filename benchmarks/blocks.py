"""A whole JGTC block, beside the same block on the field's operators.

python -m benchmarks.blocks
"""

from functools import partial
from statistics import fmean

import torch

from benchmarks.measure import Costs, agree, training, without_recomputation
from benchmarks.report import Table, arguments, targets, write
from benchmarks.rivals.sym_gnn import Block
from symgnn_pyg import Skeleton
from symgnn_pyg.nn import JGTCBlock

# Skeleton, N, T, C, D, kernel, stride.
SHAPES = (
    ("ntu25", 16, 75, 64, 64, 9, 1),
    ("cmu26", 32, 50, 32, 32, 5, 1),
    ("cmu26", 32, 25, 64, 128, 5, 2),
    ("cmu26", 32, 10, 128, 256, 5, 2),
)
QUICK = (("cmu26", 4, 10, 16, 16, 5, 1),)
BASE = "AGCN order"
OURS, PLAIN = "symgnn_pyg", "symgnn_pyg without recomputation"
TIME, MEMORY = 0.70, 0.50


def main() -> None:
    args = arguments(__doc__)
    table = Table(
        f"JGTC block, K = 5, as a ratio to the {BASE}",
        ["skeleton N T C D tau s", "candidate", "forward", "training",
         "training memory"],
    )  # fmt: skip
    for shape in QUICK if args.quick else SHAPES:
        name, n, t, c, d, kernel, stride = shape
        skeleton = Skeleton.get(name)
        v = skeleton.num_joints
        ours = JGTCBlock(
            c, d, skeleton, kernel_size=kernel, stride=stride, dropout=0.0
        )
        x = torch.randn(n * v, t, c, requires_grad=True)
        actional = torch.randn(n, v, v).softmax(dim=-1).requires_grad_()
        image = x.detach().unflatten(0, (n, v)).permute(0, 3, 2, 1)
        image = image.contiguous().requires_grad_()  # [N, C, T, V]
        modules = {OURS: ours, BASE: Block(ours)}
        inputs = {OURS: (x, actional), BASE: (image, actional)}
        runs = {key: partial(modules[key], *inputs[key]) for key in modules}
        theirs = runs[BASE]().permute(0, 3, 2, 1).flatten(0, 1)
        agree({OURS: runs[OURS]()}, theirs)
        steps = {
            key: training(run, [*inputs[key], *modules[key].parameters()])
            for key, run in runs.items()
        }
        steps[PLAIN] = without_recomputation(steps[OURS])
        costs = Costs.measure(runs, steps, args.quick)
        # Nothing is saved without gradients.
        costs.forward[PLAIN] = costs.forward[OURS]
        for key, ratios in costs.relative_to(BASE).items():
            table.add(" ".join(map(str, shape)), key, *ratios)
    rows = [row for row in table.rows if row["candidate"] == OURS]
    time = fmean(row["training"][1] for row in rows)
    memory = fmean(row["training memory"] for row in rows)
    aims = [
        ("training, mean over shapes", time, TIME),
        ("training memory, mean", memory, MEMORY),
    ]
    write(args, [table, targets(aims)])


if __name__ == "__main__":
    main()

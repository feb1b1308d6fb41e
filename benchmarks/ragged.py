"""A batch of three skeletons against padding all samples to the largest.

python -m benchmarks.ragged
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from benchmarks.measure import Costs, agree, training
from benchmarks.report import Table, arguments, targets, write
from benchmarks.rivals.graph_mix import agcn_order
from symgnn_pyg import Skeleton
from symgnn_pyg.nn import JointGraphConv

SKELETONS = [Skeleton.get(name) for name in ("ntu25", "kinetics18", "cmu26")]
LARGEST = max(skeleton.num_joints for skeleton in SKELETONS)
BASE = "padding, AGCN order"
OURS = "symgnn_pyg"
TIME, MEMORY = 0.32, 0.15


class Padding(torch.nn.Module):
    """All samples padded with zeros to the largest skeleton, each with its own
    copy of all graphs, in [N, C, T, V].
    """

    def __init__(self, ours: Any, skeleton_type: list[int]) -> None:
        super().__init__()
        self.skeleton_type, self.lambda_ = skeleton_type, ours.lambda_
        self.sizes = [SKELETONS[kind].num_joints for kind in skeleton_type]
        self.masks = torch.nn.ParameterList(
            graph.mask.detach().clone() for graph in ours.masked_graph
        )
        self.hops = [graph.adjacency for graph in ours.masked_graph]
        weight = ours.weight.detach().mT[..., None, None]  # [K, D, C, 1, 1]
        self.weight = Parameter(weight.contiguous())

    def forward(self, x: Tensor, actional: list[Tensor]) -> Tensor:
        samples = x.split(self.sizes)
        padded = torch.nn.utils.rnn.pad_sequence(samples, batch_first=True)
        hops = [m * a for m, a in zip(self.masks, self.hops, strict=True)]
        graphs = [
            pad(torch.cat([hops[kind], (self.lambda_ * own).unsqueeze(0)]))
            for kind, own in zip(self.skeleton_type, actional, strict=True)
        ]
        stack = torch.stack(graphs, dim=1).mT  # [K, N, V, V]
        image = padded.permute(0, 3, 2, 1).contiguous()
        out = agcn_order(image, self.weight, stack).permute(0, 3, 2, 1)
        parts = zip(out, self.sizes, strict=True)
        return torch.cat([sample[:size] for sample, size in parts])


def pad(graphs: Tensor) -> Tensor:
    missing = LARGEST - graphs.size(-1)
    return torch.nn.functional.pad(graphs, (0, missing, 0, missing))


def main() -> None:
    args = arguments(__doc__)
    n, t, c, d = (6, 10, 16, 16) if args.quick else (32, 75, 64, 64)
    skeleton_type = [i % len(SKELETONS) for i in range(n)]
    sizes = [SKELETONS[kind].num_joints for kind in skeleton_type]
    ours: Any = JointGraphConv(c, d, SKELETONS)
    modules: dict[str, Any] = {OURS: ours, BASE: Padding(ours, skeleton_type)}
    x = torch.randn(sum(sizes), t, c, requires_grad=True)
    actional = [
        torch.randn(v, v).softmax(dim=-1).requires_grad_() for v in sizes
    ]
    runs = {
        OURS: partial(ours, x, actional, skeleton_type=skeleton_type),
        BASE: partial(modules[BASE], x, actional),
    }
    agree({OURS: runs[OURS]()}, runs[BASE]())
    steps = {
        name: training(run, [x, *actional, *modules[name].parameters()])
        for name, run in runs.items()
    }
    ratios = Costs.measure(runs, steps, args.quick).relative_to(BASE)
    table = Table(
        f"JGC on {n} samples of 25, 18 and 26 joints, T = {t}, {c} to {d} "
        f"channels, as a ratio to: {BASE}",
        ["candidate", "forward", "training", "training memory"],
    )
    for name, row in ratios.items():
        table.add(name, *row)
    _, (_, time, _), memory = ratios[OURS]
    aims = [("training", time, TIME), ("training memory", memory, MEMORY)]
    write(args, [table, targets(aims)])


if __name__ == "__main__":
    main()

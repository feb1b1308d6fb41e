"""Equation (1) for all pairs of joints: once per joint, or once per pair.

    python -m benchmarks.agim

The naive form concatenates the features of every ordered pair of joints,
applies f_e to each and averages over the partners. PyG's message passing
applies the first layer once per joint instead. `ActionalPropagation`, here
without f_v, never materialises the pairs. All have the same weights and are
checked to agree in outputs and gradients, in double precision, before they are
timed.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import Identity, Module
from torch_geometric.utils import dense_to_sparse

from benchmarks.measure import Costs, training
from benchmarks.report import Table, arguments, targets, write
from benchmarks.rivals.sym_gnn import Propagation
from symgnn_pyg.nn import ActionalPropagation

# Samples, joints, channels.
SHAPES, QUICK = ((32, 26, 128), (16, 25, 128)), ((4, 10, 32),)
BASE, MESSAGES, OURS = "naive", "PyG messages", "symgnn_pyg"
TIME = 1 / 12
Passes = dict[str, Callable[[], Tensor]]
Steps = dict[str, Callable[[], tuple[Tensor, ...]]]


def main() -> None:
    args = arguments(__doc__)
    table = Table(
        "Equation (1) without f_v, as a ratio to the naive form",
        ["N V D", "candidate", "forward", "training", "training memory"],
    )
    aims = []
    for shape in QUICK if args.quick else SHAPES:
        check(*candidates(*shape, torch.double))
        runs = candidates(*shape, getattr(torch, args.dtype))
        ratios = Costs.measure(*runs, args.quick).relative_to(BASE)
        name_of_shape = " ".join(map(str, shape))
        for name, row in ratios.items():
            table.add(name_of_shape, name, *row)
        _, (_, time, _), _ = ratios[OURS]
        aims.append((f"training, {name_of_shape}", time, TIME))
    write(args, [table, targets(aims)])


def candidates(
    samples: int, joints: int, channels: int, dtype: torch.dtype
) -> tuple[Passes, Steps]:
    """Forward passes and training steps."""
    core = ActionalPropagation(channels, 0.0).to(dtype)
    core.joint_mlp = Identity()
    naive = Propagation(core, joints).to(dtype)
    modules: dict[str, Module] = {BASE: naive, MESSAGES: core, OURS: core}
    h = torch.randn(samples * joints, channels, dtype=dtype, requires_grad=True)
    pairs = (1 - torch.eye(joints)).repeat(samples, 1, 1)
    edges = dense_to_sparse(pairs)[0].flip(0)  # sorted by target
    forward: Passes = {
        BASE: partial(naive, h, joints),
        MESSAGES: partial(core, h, edge_index=edges),
        OURS: partial(core, h, joints),
    }
    steps: Steps = {
        name: training(run, [h, *modules[name].parameters()])
        for name, run in forward.items()
    }
    return forward, steps


def check(forward: Passes, steps: Steps) -> None:
    """Raises AssertionError if results or gradients of features differ."""
    slopes = {name: step()[0] for name, step in steps.items()}
    for name in (MESSAGES, OURS):
        torch.testing.assert_close(forward[name](), forward[BASE]())
        torch.testing.assert_close(slopes[name], slopes[BASE])


if __name__ == "__main__":
    main()

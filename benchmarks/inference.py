"""The time that the light network takes for a batch.

    python -m benchmarks.inference
    python -m benchmarks.inference --device cuda --dtype bfloat16

With 50 observed and 10 predicted frames on the skeleton of CMU Mocap: eager,
compiled (which takes minutes; --quick and --eager leave it out) and, on a GPU,
replayed as a CUDA graph, beside the same network on the field's operators.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from statistics import quantiles

import torch
from torch import Tensor
from torch.nn import Module

from benchmarks.measure import agree, interleaved, ratios, tried
from benchmarks.report import Table, arguments, targets, write
from benchmarks.rivals.sym_gnn import FUTURE, OBSERVED, light_networks
from symgnn_pyg.inference import CapturedNetwork
from symgnn_pyg.nn import SymGNN

BATCHES, QUICK = (1, 8, 64, 512), (1, 8)
OURS, RIVAL = "symgnn_pyg", "on the field's operators"
CAPTURED = f"{OURS}, CUDA graph"
# One sequence on a GPU, in milliseconds.
LATENCY = 2.0


def main() -> None:
    args = arguments(__doc__, on_gpu=True)
    device = args.device
    model, rival = light_networks(device)
    table = Table(
        f"{OBSERVED} frames observed, {FUTURE} predicted",
        ["sequences", "network", "milliseconds", f"ratio to it {RIVAL}"],
    )
    for batch in QUICK if args.quick else BATCHES:
        rows = batch * model.skeleton.num_joints
        x = torch.randn(rows, OBSERVED, 3, device=device)
        table.attempt([batch], partial(add_rows, table, model, rival, x, args))
    tables = [table]
    if device.type == "cuda":
        aims = [
            ("one sequence, ms", row["milliseconds"][1], LATENCY)
            for row in table.rows
            if row["sequences"] == 1
            and row.get("network") == CAPTURED
            and "error" not in row
        ]
        tables.append(targets(aims))
    write(args, tables)


def add_rows(
    table: Table,
    model: SymGNN,
    rival: Module,
    x: Tensor,
    args: argparse.Namespace,
) -> None:
    dtype, device = getattr(torch, args.dtype), x.device
    batch = x.size(0) // model.skeleton.num_joints
    with torch.inference_mode():
        ours, theirs = (net(x).future for net in (model, rival))
    agree({RIVAL: theirs}, ours, 1e-2)
    eager = args.quick or args.eager
    candidates = table.attempts(
        [batch],
        {
            name: partial(tried, partial(predict, run, x, dtype))
            for name, run in networks(model, rival, eager)
        },
    )
    times = interleaved(candidates, 5 if args.quick else 51, 20.0, device)
    ratio = ratios(times, RIVAL)
    for name, seconds in times.items():
        spread = quantiles([1000 * s for s in seconds], n=4)
        table.add(batch, name, tuple(spread), ratio[name])


def networks(
    model: Module, rival: Module, eager: bool
) -> Iterator[tuple[str, Callable[[Tensor], object]]]:
    yield OURS, model
    yield RIVAL, rival
    if next(model.parameters()).is_cuda:
        yield CAPTURED, CapturedNetwork(model)
    if not eager:
        torch._dynamo.reset()
        yield f"{OURS}, compiled", torch.compile(model)
        yield f"{RIVAL}, compiled", torch.compile(rival)


def predict(
    run: Callable[[Tensor], object], x: Tensor, dtype: torch.dtype
) -> None:
    half = dtype != torch.float
    with (
        torch.inference_mode(),
        torch.autocast(x.device.type, dtype, enabled=half),
    ):
        run(x)


if __name__ == "__main__":
    main()

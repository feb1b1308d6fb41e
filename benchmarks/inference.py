"""The time that the light network takes for a batch.

    python -m benchmarks.inference
    python -m benchmarks.inference --device cuda --dtype bfloat16

With 50 observed and 10 predicted frames on the skeleton of CMU Mocap: eager,
compiled and, on a GPU, compiled with CUDA graphs, each beside the same network
on the field's operators.
"""

from collections.abc import Iterator
from functools import partial
from statistics import quantiles

import torch
from torch.nn import Module

from benchmarks.measure import (
    Run,
    Table,
    agree,
    arguments,
    interleaved,
    ratios,
    write,
)
from benchmarks.rivals.sym_gnn import RivalSymGNN
from symgnn_pyg import Skeleton
from symgnn_pyg.nn import SymGNN

OBSERVED, FUTURE, CLASSES = 50, 10, 8
BATCHES, QUICK = (1, 8, 64, 512), (1, 8)
RIVAL = "on the field's operators"


def main() -> None:
    args = arguments(__doc__, on_gpu=True)
    device, dtype = args.device, getattr(torch, args.dtype)
    skeleton = Skeleton.get("cmu26")
    model = SymGNN.light(
        skeleton, CLASSES, num_observed=OBSERVED, num_future=FUTURE
    )
    model.to(device).eval()
    rival = RivalSymGNN(model).eval()
    table = Table(
        f"{OBSERVED} frames observed, {FUTURE} predicted",
        ["sequences", "network", "milliseconds", f"ratio to it {RIVAL}"],
    )
    for batch in QUICK if args.quick else BATCHES:
        x = torch.randn(batch * skeleton.num_joints, OBSERVED, 3, device=device)
        candidates = {
            name: partial(predict, run, x, dtype)
            for name, run in networks(model, rival, device, args.quick)
        }
        with torch.inference_mode():
            ours, theirs = (net(x).future for net in (model, rival))
        agree({RIVAL: theirs}, ours, 1e-2)
        times = interleaved(candidates, 5 if args.quick else 51, 20.0, device)
        ratio = ratios(times, RIVAL)
        for name, seconds in times.items():
            spread = quantiles([1000 * s for s in seconds], n=4)
            table.add(batch, name, tuple(spread), ratio[name])
    write(args, [table])


def networks(
    model: Module, rival: Module, device: torch.device, quick: bool
) -> Iterator[tuple[str, Run]]:
    yield "symgnn_pyg", model
    yield RIVAL, rival
    # Compiling takes minutes.
    if not quick:
        torch._dynamo.reset()
        yield "symgnn_pyg, compiled", torch.compile(model)
        yield f"{RIVAL}, compiled", torch.compile(rival)
    if device.type == "cuda":
        graphs = torch.compile(model, mode="reduce-overhead")
        yield "symgnn_pyg, CUDA graphs", graphs


def predict(run: Run, x: torch.Tensor, dtype: torch.dtype) -> None:
    half = dtype != torch.float
    with (
        torch.inference_mode(),
        torch.autocast(x.device.type, dtype, enabled=half),
    ):
        run(x)


if __name__ == "__main__":
    main()

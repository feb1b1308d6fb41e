"""One training step of the light network on the shapes of CMU Mocap, or of
the full one on those of NTU-RGB+D.

    python -m benchmarks.train_step
    python -m benchmarks.train_step --network full --batch 4
    python -m benchmarks.train_step --device cuda --tf32

Prints the seconds of a step (median, quartiles), the peak memory of the
process and the number of parameters; then the step as a ratio to the same
network on the field's operators, and how it changes with the weighting of the
losses, the precision, compilation (which takes minutes, as does Triton's; both
--quick and --eager leave them out), the formula and the kind of dropout.
"""

import copy
import resource
import statistics
from functools import partial

import torch
from torch import Tensor
from torch.nn import Dropout, Module

from benchmarks.measure import (
    Run,
    agree,
    interleaved,
    peak_bytes,
    ratios,
    tried,
    without_recomputation,
)
from benchmarks.report import Table, arguments, targets, write
from benchmarks.rivals.sym_gnn import RivalSymGNN
from symgnn_pyg import Skeleton, ops
from symgnn_pyg.nn import SymbioticLoss, SymGNN, mgda_weight

# How it is made, skeleton, classes, observed and predicted frames.
NETWORKS = {
    "light": (SymGNN.light, "cmu26", 8, 50, 10),
    "full": (SymGNN.full, "ntu25", 60, 290, 10),
}
FORMULAS = ("blocked", "dense", "stacked")
RIVAL = "on the field's operators"
TIME, MEMORY, MGDA = 0.60, 0.50, 1.10


def main() -> None:
    args = arguments(__doc__, on_gpu=True, network=list(NETWORKS), batch=32)
    device = args.device
    batch, repeats = (min(4, args.batch), 3) if args.quick else (args.batch, 7)
    build, layout, num_classes, observed, future_frames = NETWORKS[args.network]
    skeleton = Skeleton.get(layout)
    model = build(
        skeleton, num_classes, num_observed=observed, num_future=future_frames
    )
    model.to(device)
    joints = batch * skeleton.num_joints
    x = torch.randn(joints, observed, 3, device=device)
    future = torch.randn(joints, future_frames, 3, device=device)
    y = torch.randint(num_classes, (batch,), device=device)
    step = make_step(model, x, y, future)
    seconds = interleaved({"step": step}, repeats, 30.0, device)["step"]
    low, median, high = statistics.quantiles(seconds, n=4)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device) / 2**30
    facts = Table(
        f"A step of the {args.network} network: {batch} x "
        f"{skeleton.num_joints} joints, {observed} observed and "
        f"{future_frames} predicted frames",
        ["what", "measured"],
    )
    facts.add("seconds (median and quartiles)", (low, median, high))
    facts.add("peak memory of the process, GB", peak)
    facts.add("parameters", sum(p.numel() for p in model.parameters()))

    rival = RivalSymGNN(model)
    check(model, rival, x, 2e-2 if args.tf32 else 1e-3)
    candidates = {
        "fixed weight": step,
        RIVAL: make_step(rival, x, y, future),
        "MGDA": make_step(model, x, y, future, "mgda"),
        "MGDA's gradients alone": make_weighing(model, x, y, future),
        "bfloat16": make_step(model, x, y, future, dtype=torch.bfloat16),
        "without recomputation": without_recomputation(step),
        "torch.nn.Dropout": with_plain_dropout(model, step),
        **{f"formula {name}": with_formula(name, step) for name in FORMULAS},
    }
    if not (args.quick or args.eager):
        if device.type == "cuda":
            candidates["formula triton"] = with_formula("triton", step)
        torch._dynamo.config.trace_autograd_ops = True
        for name, weighting in (("compiled", 0.5), ("compiled MGDA", "mgda")):
            candidates[name] = make_step(
                model, x, y, future, weighting, compiled=True
            )
    table = Table(
        "The step as a ratio",
        [
            "step",
            "to the fixed weight",
            f"to it {RIVAL}",
            f"memory, to it {RIVAL}",
        ],
    )
    candidates = table.attempts(
        [], {name: partial(tried, run) for name, run in candidates.items()}
    )
    times = interleaved(candidates, repeats, 90.0, device)
    changes = ratios(times, "fixed weight")
    against = ratios(times, RIVAL)
    peaks = {name: peak_bytes(run, device) for name, run in candidates.items()}
    base = peaks.get(RIVAL, float("nan"))
    memory = {name: peak / base for name, peak in peaks.items()}
    for name in candidates:
        table.add(name, changes[name], against[name], memory[name])
    tables = [facts, table]
    if args.network == "light" and {"fixed weight", "MGDA"} <= times.keys():
        aims = [
            (f"time, to it {RIVAL}", against["fixed weight"][1], TIME),
            (f"memory, to it {RIVAL}", memory["fixed weight"], MEMORY),
            ("MGDA, to the fixed weight", changes["MGDA"][1], MGDA),
        ]
        tables.append(targets(aims))
    write(args, tables)


def make_step(
    model: Module,
    x: Tensor,
    y: Tensor,
    future: Tensor,
    weighting: float | str = 0.5,
    dtype: torch.dtype = torch.float,
    compiled: bool = False,
) -> Run:
    criterion = SymbioticLoss(weighting)
    optimizer = torch.optim.AdamW(model.parameters())

    def total(x: Tensor, y: Tensor, future: Tensor) -> Tensor:
        return criterion(model(x), y, future).total

    if compiled:
        total = torch.compile(total, fullgraph=True)

    def step() -> None:
        with torch.autocast(x.device.type, dtype, enabled=dtype != torch.float):
            loss = total(x, y, future)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def make_weighing(model: Module, x: Tensor, y: Tensor, future: Tensor) -> Run:
    """What MGDA adds to a step: the gradients of both losses with respect to
    the representation that the heads share, and their weight."""
    # Steps of the others would change the weights that it needs.
    out = copy.deepcopy(model)(x)
    losses = SymbioticLoss(0.5)(out, y, future)

    def weigh() -> Tensor:
        return mgda_weight(
            *(
                torch.autograd.grad(loss, out.shared, retain_graph=True)[0]
                for loss in (losses.recognition_loss, losses.prediction_loss)
            )
        )

    return weigh


def check(
    model: SymGNN, rival: RivalSymGNN, x: Tensor, tolerance: float
) -> None:
    model.eval(), rival.eval()
    with torch.no_grad():
        for ours, theirs in zip(model(x), rival(x), strict=True):
            agree({RIVAL: theirs}, ours, tolerance)
    model.train(), rival.train()


def with_formula(name: str, step: Run) -> Run:
    def forced() -> None:
        with ops.use(name):
            step()

    return forced


def with_plain_dropout(model: Module, step: Run) -> Run:
    layers = [m for m in model.modules() if isinstance(m, Dropout)]

    def plain() -> None:
        classes = [type(module) for module in layers]
        for module in layers:
            module.__class__ = Dropout
        step()
        for module, kind in zip(layers, classes, strict=True):
            module.__class__ = kind

    return plain


if __name__ == "__main__":
    main()

"""One training step of the light network on the shapes of CMU Mocap.

    python -m benchmarks.train_step

Prints the seconds of a step (median, quartiles), the peak memory of the
process and the number of parameters, then how the step changes with the
kernel, the weighting of the losses and the kind of dropout. Variants take
turns step by step, so that a noisy machine treats all alike.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch.nn import Dropout

from symgnn_pyg import Skeleton, ops
from symgnn_pyg.nn import SymbioticLoss, SymGNN


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--observed", type=int, default=50)
    parser.add_argument("--future", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()

    torch.manual_seed(0)
    skeleton = Skeleton.get("cmu26")
    model = SymGNN.light(
        skeleton, 8, observed=args.observed, future=args.future
    )
    rows = args.batch_size * skeleton.num_joints
    x = torch.randn(rows, args.observed, 3)
    future = torch.randn(rows, args.future, 3)
    y = torch.randint(8, (args.batch_size,))
    optimizer = torch.optim.AdamW(model.parameters())

    def step(weighting: float | str = 0.5, kernel: str = "auto") -> None:
        with ops.use(kernel):
            loss = SymbioticLoss(weighting)(model(x), y, future).total
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    shape = f"{args.batch_size} x {skeleton.num_joints} joints, "
    shape += f"{args.observed} observed, {args.future} predicted frames"
    print(
        f"{shape}; {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    seconds = measure({"step": step}, args.repeats)["step"]
    low, median, high = statistics.quantiles(seconds, n=4)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"seconds a step      {median:.2f} ({low:.2f} to {high:.2f})")
    print(f"peak memory         {peak:.2f} GB, the process and torch included")
    print(f"parameters          {sum(p.numel() for p in model.parameters()):,}")

    def plain_dropout() -> None:
        kinds = [m for m in model.modules() if isinstance(m, Dropout)]
        classes = [type(module) for module in kinds]
        for module in kinds:
            module.__class__ = Dropout
        step()
        for module, kind in zip(kinds, classes, strict=True):
            module.__class__ = kind

    variants: dict[str, Callable[[], None]] = {
        "fixed weight": step,
        "MGDA": lambda: step("mgda"),
        "dense kernel": lambda: step(kernel="dense"),
        "reference kernel": lambda: step(kernel="reference"),
        "torch.nn.Dropout": plain_dropout,
    }
    times = measure(variants, max(2, args.repeats // 2))
    base = times["fixed weight"]
    for name, values in times.items():
        ratios = [v / b for v, b in zip(values, base, strict=True)]
        print(
            f"{name:20}{statistics.median(ratios):.2f} times "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


def measure(
    variants: dict[str, Callable[[], None]], repeats: int
) -> dict[str, list[float]]:
    """The seconds of each variant, which take turns, after two warm-ups."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for repeat in range(repeats + 2):
        for name, run in variants.items():
            start = time.perf_counter()
            run()
            if repeat >= 2:
                times[name].append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()

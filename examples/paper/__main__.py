"""Tables and figures of the paper, one command each.

    python -m examples.paper table-3 --quick            # in seconds
    python -m examples.paper figure-14 --data cmu_mocap.zip --steps 20000
    python -m examples.paper table-5 --data h36m.zip --dataset h36m
    python -m examples.paper all --quick

Writes NAME.md, NAME.json and NAME.png to --output, with the published numbers
beside ours. Finished runs stay in --output/runs and are not trained again;
repeat the command to resume an interrupted run.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
from cycler import cycler

from examples.paper import (
    actional_graphs,
    differences,
    dual,
    graphs,
    prediction,
    recognition,
    sequences,
    stability,
    symbiosis,
    trade_off,
)
from examples.paper.data import DATA_SETS
from examples.paper.protocol import caveats, protocol
from examples.paper.render import Page, write
from examples.paper.runs import Runs
from examples.paper.settings import Settings
from examples.shared import no_traceback
from symgnn_pyg.files import expanded
from symgnn_pyg.visualization.colours import CYCLE

EXPERIMENTS: dict[str, Callable[[Runs], Page]] = {
    "table-1": recognition.table_1,
    "table-2": recognition.table_2,
    "table-3": recognition.table_3,
    "table-4": prediction.table_4,
    "table-5": prediction.table_5,
    "table-6": prediction.table_6,
    "table-7": prediction.table_7,
    "table-8": prediction.table_8,
    "figure-8": trade_off.figure_8,
    "table-9": symbiosis.table_9,
    "table-10": symbiosis.table_10,
    "figure-9": symbiosis.figure_9,
    "table-11": graphs.table_11,
    "table-12": graphs.table_12,
    "figure-10": graphs.figure_10,
    "table-13": differences.table_13,
    "table-14": differences.table_14,
    "table-15": dual.table_15,
    "figure-11": actional_graphs.figure_11,
    "figure-12": actional_graphs.figure_12,
    "figure-13": sequences.figure_13,
    "figure-14": stability.figure_14,
    "figure-15": stability.figure_15,
}


def main(arguments: list[str] | None = None) -> None:
    args = parse_arguments(arguments)
    plt.switch_backend("Agg")
    plt.rcParams["axes.prop_cycle"] = cycler(color=CYCLE)
    settings = Settings(
        args.data,
        args.quick,
        args.steps,
        tuple(args.seed),
        args.output,
        args.precision,
        args.dataset,
    )
    names = list(EXPERIMENTS) if args.name == "all" else [args.name]
    kept = "Stopped; finished runs are kept, repeat the command to continue"
    with no_traceback(lambda: kept):
        runs = Runs(settings)
        for i, name in enumerate(names, 1):
            print(f"[{i}/{len(names)}] {name}", flush=True)
            start = time.monotonic()
            paths = carry_out(runs, name)
            seconds = time.monotonic() - start
            print(f"  {paths[0]} ({seconds:.0f} s)", flush=True)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.paper", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "name",
        choices=[*EXPERIMENTS, "all"],
        metavar="NAME",
        help="table-1 to table-15, figure-8 to figure-15, or all",
    )
    parser.add_argument(
        "--data",
        default="synthetic",
        help="'synthetic', or the folder or zip archive of the data set",
    )
    parser.add_argument("--dataset", choices=DATA_SETS, default="cmu")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small networks and few steps, to check that everything runs",
    )
    parser.add_argument(
        "--steps", type=int, help="training steps (default: 2000; quick: 25)"
    )
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--output", type=expanded, default=Path("outputs/paper")
    )
    parser.add_argument(
        "--precision", choices=["32", "bf16-mixed"], default="32"
    )
    args = parser.parse_args(arguments)
    if args.data == "synthetic" and args.dataset != "cmu":
        parser.error(f"--dataset {args.dataset} requires --data")
    return args


def carry_out(runs: Runs, name: str) -> list[Path]:
    """Runs an experiment and writes its page."""
    runs.used.clear()
    page = EXPERIMENTS[name](runs)
    page.notes = [*caveats(runs, page), *page.notes]
    return write(page, name, protocol(runs, name, page), runs.settings.output)


if __name__ == "__main__":
    main()

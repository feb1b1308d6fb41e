"""What all benchmarks share: settings, timing, peak memory and tables.

Candidates take turns, run by run, so that noise on the machine affects all of
them alike; ratios are taken within a round, and their median and quartiles are
reported. On a GPU, CUDA events measure the time, and the cache is cleared
before each run. Memory is the peak that torch allocates while a candidate
runs, without inputs and weights.

An error in one row does not lose the others: the row shows it, and the
benchmark fails at its end. Once the time of --seconds is up, the same happens
to all rows that are left.
"""

import argparse
import importlib
import json
import math
import os
import platform
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

os.environ.setdefault("KINETO_LOG_LEVEL", "99")

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

Result = TypeVar("Result")
Run = Callable[[], object]
Ratios = dict[str, tuple[float, float, float]]

CPU = torch.device("cpu")

# By default glibc returns large blocks to the system immediately, which costs
# page faults when they are needed again; these settings make it keep them.
TUNED_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**36),
    "MALLOC_TOP_PAD_": str(2**26),
}


def arguments(
    doc: str | None, on_gpu: bool = False, **own: int | list[str]
) -> argparse.Namespace:
    """Parses and applies the settings that all benchmarks share, and a
    benchmark's :obj:`own`: each a number or a list of names to choose from.
    Benchmarks that also run :obj:`on_gpu` have a device, TF32 and a way to
    leave out what takes minutes to compile.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="small shapes and few repeats"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--dtype", choices=["float32", "bfloat16"], default="float32"
    )
    if on_gpu:
        parser.add_argument("--device", type=_device, default=CPU)
        parser.add_argument(
            "--tf32", action="store_true", help="use TF32 for float32 products"
        )
        parser.add_argument(
            "--eager",
            action="store_true",
            help="leave out what takes minutes to compile",
        )
    parser.add_argument(
        "--allocator", choices=["default", "tuned"], default="default"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--seconds", type=float, help="stop then, and keep the rows so far"
    )
    for name, values in own.items():
        if isinstance(values, int):
            parser.add_argument(f"--{name}", type=int, default=values)
        else:
            parser.add_argument(f"--{name}", choices=values, default=values[0])
    args = parser.parse_args()
    tuned = TUNED_ALLOCATOR.items() <= os.environ.items()
    if args.allocator == "tuned" and not tuned:
        # The allocator reads its settings when the process starts.
        command = [sys.executable, "-m", f"benchmarks.{Path(sys.argv[0]).stem}"]
        os.execve(
            sys.executable,
            [*command, *sys.argv[1:]],
            {**os.environ, **TUNED_ALLOCATOR},
        )
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    if args.seconds:
        signal.signal(signal.SIGALRM, _Attempts.stop)
        signal.setitimer(signal.ITIMER_REAL, args.seconds)
    precision = args.dtype
    if on_gpu and args.device.type == "cuda":
        torch.cuda.set_device(args.device)
        use_tf32(args.tf32)
        if args.tf32 and precision == "float32":
            precision = args.dtype_name = "TF32"
    where = machine(args.device if on_gpu else CPU)
    print(f"{where}; {precision}, {args.allocator} allocator")
    return args


def use_tf32(enabled: bool) -> None:
    """Whether a GPU may round the factors of float32 products to TF32."""
    precision = "tf32" if enabled else "ieee"
    torch.backends.cuda.matmul.fp32_precision = precision
    torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]


def _device(text: str) -> torch.device:
    kind = text.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise argparse.ArgumentTypeError(f"expected cpu or cuda, got {text!r}")
    return torch.device(text)


def machine(device: torch.device = CPU) -> str:
    """The processor, its cores and the versions that matter; or the GPU and
    its versions.
    """
    if device.type == "cuda":
        import triton

        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv"]
        driver = subprocess.check_output(query, text=True).split()[-1]
        return (
            f"{torch.cuda.get_device_name(device)}, driver {driver}, CUDA "
            f"{torch.version.cuda}, torch {torch.__version__}, Triton "
            f"{triton.__version__}"
        )
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"model name\s*: (.*)", info.read_text())
        name = found[1] if found else name
    capability = torch.backends.cpu.get_cpu_capability()
    return (
        f"{name} ({capability}), {torch.get_num_threads()} of "
        f"{os.cpu_count()} cores, torch {torch.__version__}, Python "
        f"{platform.python_version()}"
    )


def budget(quick: bool) -> tuple[int, float]:
    """The number of rounds and the seconds that they may take."""
    return (3, 2.0) if quick else (11, 6.0)


def interleaved(
    candidates: Mapping[str, Run],
    repeats: int,
    seconds: float = 10.0,
    device: torch.device = CPU,
    warm: bool = True,
) -> dict[str, list[float]]:
    """The seconds of each run. After a warm-up, candidates take turns for
    :obj:`repeats` rounds, or as many as start within :obj:`seconds`, but at
    least two. The order is shuffled in each round, because a candidate finds
    the caches and the memory in the state that the previous one left. If
    :obj:`warm`, each runs twice in its turn on a CPU and the second run
    counts: during the first, the system may still be clearing memory that the
    previous candidate freed.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for run in candidates.values():
        run()
    seconds_of = _seconds_on_gpu if device.type == "cuda" else _seconds_on_cpu
    order = random.Random(0)
    end = time.perf_counter() + seconds
    for done in range(repeats):
        if done >= 2 and time.perf_counter() > end:
            break
        for name in order.sample(list(candidates), len(candidates)):
            if warm and device.type == "cpu":
                candidates[name]()
            times[name].append(seconds_of(candidates[name]))
    return times


def _seconds_on_cpu(run: Run) -> float:
    # Processor time of one thread is independent of other programs.
    one = torch.get_num_threads() == 1
    clock = time.process_time if one else time.perf_counter
    start = clock()
    run()
    return clock() - start


def _seconds_on_gpu(run: Run) -> float:
    # Writing more than the cache holds clears it.
    torch.empty(2**28, dtype=torch.uint8, device="cuda").zero_()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000


def ratios(times: dict[str, list[float]], base: str) -> Ratios:
    """The lower quartile, median and upper quartile of each candidate's time
    over that of :obj:`base` in the same round; NaN if that failed.
    """
    found = {}
    for name, values in times.items():
        bases = times.get(base, [math.nan] * len(values))
        each = [v / b for v, b in zip(values, bases, strict=True)]
        low, median, high = statistics.quantiles(each, n=4, method="inclusive")
        found[name] = (low, median, high)
    return found


def peak_bytes(run: Run, device: torch.device = CPU) -> int:
    """The peak of the memory that torch allocates during :obj:`run`."""
    run()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as p:
        run()
    events = [
        (event.start_ns(), event.nbytes())
        for event in p.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
    current = peak = 0
    for _, size in sorted(events):
        current += size
        peak = max(peak, current)
    return peak


def training(
    forward: Callable[[], Tensor], leaves: Iterable[Tensor]
) -> Callable[[], tuple[Tensor, ...]]:
    """One forward pass and one backward pass to all leaves."""
    leaves, towards = list(leaves), torch.ones_like(forward())
    return lambda: torch.autograd.grad(forward(), leaves, towards)


def without_recomputation(run: Callable[[], Result]) -> Callable[[], Result]:
    """The same formulas, with everything saved for the backward pass."""
    module = importlib.import_module("symgnn_pyg.ops.recompute")

    def plain() -> Result:
        with mock.patch.object(module, "_saves_memory", return_value=False):
            return run()

    return plain


def agree(
    outputs: dict[str, Tensor], expected: Tensor, tolerance: float = 1e-3
) -> None:
    """Raises AssertionError that names the output that differs, if any."""
    for name, out in outputs.items():
        torch.testing.assert_close(
            out.to(expected.dtype),
            expected,
            rtol=tolerance,
            atol=tolerance,
            msg=partial("{}: {}".format, name),
        )


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def met(measured: float, target: float) -> str:
    """Whether a target is met, as a word."""
    return "yes" if measured <= target else "no"


class _Attempts:
    """Attempts under way, and whether the time for more is up."""

    running = 0
    stopped = False

    @classmethod
    def stop(cls, *_: object) -> None:
        cls.stopped = True
        # Nothing but an attempt can say what was not measured.
        if cls.running:
            raise TimeoutError("no time was left")


class Table:
    """Rows of one benchmark, as Markdown and as JSON.

    Args:
        title: What the rows compare.
        columns: The names of the columns.
    """

    def __init__(self, title: str, columns: Iterable[str]) -> None:
        self.title = title
        self.columns = list(columns)
        self.rows: list[dict[str, Any]] = []
        print(f"\n### {title}\n")
        print(f"| {' | '.join(self.columns)} |")
        print(f"|{'---|' * len(self.columns)}", flush=True)

    def add(self, *cells: object) -> None:
        """Adds and prints a row."""
        self.rows.append(dict(zip(self.columns, cells, strict=True)))
        print(f"| {' | '.join(map(_text, cells))} |", flush=True)

    def attempt(
        self, cells: Sequence[object], work: Callable[[], Result]
    ) -> Result | None:
        """Returns the result of :obj:`work`; or adds and prints a row that
        begins with these cells and tells the error.
        """
        _Attempts.running += 1
        try:
            if _Attempts.stopped:
                raise TimeoutError("no time was left")
            result = work()
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()  # Errors of kernels come late.
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            text = text[:300].replace("|", "/")
            row = dict(zip(self.columns, cells, strict=False))
            self.rows.append({**row, "error": text})
            print(f"| {' | '.join(map(_text, [*cells, text]))} |", flush=True)
            return None
        finally:
            _Attempts.running -= 1
        return result

    def attempts(
        self,
        cells: Sequence[object],
        work: Mapping[str, Callable[[], Result]],
    ) -> dict[str, Result]:
        """The results, by name, of what did not fail. The rows of errors begin
        with these cells and the name.
        """
        found: dict[str, Result] = {}
        for name, each in work.items():
            result = self.attempt([*cells, name], each)
            if result is not None:
                found[name] = result
        return found


def tried(run: Run) -> Run:
    """The same, after a first run."""
    run()
    return run


def write(args: argparse.Namespace, tables: Iterable[Table]) -> None:
    """Writes tables to the file given by :obj:`--json`, if any, and exits with
    an error if a row has one.
    """
    tables = list(tables)
    if args.json is not None:
        found = {
            "machine": machine(getattr(args, "device", CPU)),
            "dtype": getattr(args, "dtype_name", args.dtype),
            "threads": args.threads,
            "allocator": args.allocator,
            "tables": [{"title": t.title, "rows": t.rows} for t in tables],
        }
        args.json.write_text(json.dumps(found, indent=2) + "\n")
    failed = sum("error" in row for table in tables for row in table.rows)
    if failed:
        raise SystemExit(f"{failed} rows failed")


def _text(cell: object) -> str:
    if isinstance(cell, tuple):
        low, median, high = cell
        return f"{median:.2f} ({low:.2f}-{high:.2f})"
    if isinstance(cell, float):
        return f"{cell:.3f}" if abs(cell) >= 1e-3 else f"{cell:.1e}"
    return str(cell)

"""How all benchmarks measure time and memory.

Candidates take turns, run by run, so that noise on the machine affects all of
them alike; ratios are taken within a round, and their median and quartiles are
reported. On a GPU, CUDA events measure the time, and the cache is cleared
before each run. Memory is the peak that torch allocates while a candidate
runs, without inputs and weights.
"""

import importlib
import math
import os
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar
from unittest import mock

os.environ.setdefault("KINETO_LOG_LEVEL", "99")

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

Result = TypeVar("Result")
Run = Callable[[], object]
Ratio = tuple[float, float, float]
Ratios = dict[str, Ratio]

CPU = torch.device("cpu")


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


class Costs(NamedTuple):
    """What each candidate costs.

    Args:
        forward: The seconds of its forward passes, without gradients.
        training: The seconds of its training steps.
        memory: The bytes of a training step.
    """

    forward: dict[str, list[float]]
    training: dict[str, list[float]]
    memory: dict[str, int]

    @staticmethod
    def measure(
        forward: Mapping[str, Run],
        training: Mapping[str, Run],
        quick: bool,
        device: torch.device = CPU,
    ) -> "Costs":
        with torch.no_grad():
            seconds = interleaved(forward, *budget(quick), device)
        return Costs(
            seconds,
            interleaved(training, *budget(quick), device),
            {name: peak_bytes(run, device) for name, run in training.items()},
        )

    def relative_to(self, base: str) -> dict[str, tuple[Ratio, Ratio, float]]:
        """All three as ratios to those of :obj:`base`."""
        forward, training = (
            ratios(times, base) for times in (self.forward, self.training)
        )
        least = self.memory.get(base, math.nan)
        return {
            name: (forward[name], training[name], peak / least)
            for name, peak in self.memory.items()
        }


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


def met(measured: float, target: float) -> str:
    """Whether a target is met, as a word."""
    return "yes" if measured <= target else "no"


def tried(run: Run) -> Run:
    """The same, after a first run."""
    run()
    return run

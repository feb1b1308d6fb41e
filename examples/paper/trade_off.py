"""Figure 8: effectiveness against efficiency."""

import statistics
import time
from collections.abc import Iterable

import matplotlib.pyplot as plt
import torch

from examples.paper.data import FRAME_MS
from examples.paper.measures import SHORT_MS, short_error
from examples.paper.prediction import SHORT
from examples.paper.published import LOST
from examples.paper.render import OURS, PAPER, Page
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs

REPEATS, WARM_UP = 25, 3


def figure_8(runs: Runs) -> Page:
    networks = {
        f"Sym-GNN, K = {k}": sym_gnn(num_iterations=k) for k in (1, 2, 3, 4)
    }
    baselines = {name: SHORT[name] for name in ("ZeroV", "Res-uns", "LTD")}
    speeds = frames_a_period(runs, {**networks, **baselines})
    errors = {
        name: runs.spread(run, short_error)
        for name, run in {**networks, **baselines}.items()
    }
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    # Ours lie close together, so they get a second panel.
    panels: tuple[Iterable[str], ...] = errors, networks
    for ax, shown in zip(axes, panels, strict=True):
        for name in shown:
            own = name in networks
            at = speeds[name], errors[name].mean
            ax.scatter(*at, color=OURS if own else PAPER)
            label, _, k = name.partition(", ")
            if shown is networks:
                label = k
            elif own and k != "K = 1":
                continue
            ax.annotate(
                label,
                at,
                xytext=(4, 4),
                textcoords="offset points",
                fontsize=8,
            )
        ax.set_xlabel(f"frames generated in {FRAME_MS} ms")
        ax.margins(0.15)
        ax.grid(alpha=0.3)
    axes[0].set(ylabel="mean angle error up to 400 ms, radians", xscale="log")
    axes[1].set_title("only Sym-GNN", fontsize=10)
    return Page(
        "effectiveness against efficiency",
        ("Human3.6M",),
        [
            f"frames in {FRAME_MS} ms (ours, {runs.data.name})",
            f"mean of the errors at {', '.join(map(str, SHORT_MS))} ms "
            f"(ours, {runs.data.name})",
        ],
        [(name, [round(speeds[name], 2), errors[name]]) for name in errors],
        figure,
        [
            LOST.format("figure"),
            f"Speed: one sequence, 10 frames, processor time of one thread, "
            f"median of {REPEATS} calls, the network of the first seed.",
            "K is how often AGIM applies equation (1).",
        ],
    )


@torch.no_grad()
def frames_a_period(runs: Runs, networks: dict[str, Run]) -> dict[str, float]:
    """The number of frames that each network predicts in one frame period. The
    networks take turns, so that other load affects all alike."""
    models = {name: runs.models(run)[0] for name, run in networks.items()}
    x = runs.test(sym_gnn()).batch([0]).x
    seconds: dict[str, list[float]] = {name: [] for name in models}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(REPEATS + WARM_UP):
        for name, model in models.items():
            start = time.process_time()
            model(x)
            seconds[name].append(time.process_time() - start)
    torch.set_num_threads(threads)
    return {
        name: networks[name].num_future
        / statistics.median(times[WARM_UP:])
        * FRAME_MS
        / 1000
        for name, times in seconds.items()
    }

"""Tables IX and X, figure 9: what the two tasks do for each other."""

from examples.paper.data import OBSERVED
from examples.paper.measures import (
    SHORT_MS,
    Spread,
    accuracy,
    average_error,
    frame_at,
    spread,
)
from examples.paper.published import LOST
from examples.paper.render import ACCURACY, ERROR, Page, comparison, lines
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs

AHEAD = 10


def noise_ratios(runs: Runs) -> tuple[float, ...]:
    """The shares of permuted targets or labels."""
    return (0.2, 0.6) if runs.settings.quick else (0.2, 0.4, 0.6, 0.8, 1.0)


def table_9(runs: Runs) -> Page:
    rows = {"no pred": sym_gnn(num_future=0), "0 %": sym_gnn()}
    rows |= {
        f"{100 * share:g} %": sym_gnn(noisy_targets=share)
        for share in noise_ratios(runs)
    }
    return comparison(
        "table-9",
        "recognition with noisy targets of prediction",
        ("NTU-RGB+D",),
        {name: top_1(runs, run) for name, run in rows.items()},
        runs.data.name,
        ACCURACY,
        [
            "Accuracies of the joint network in percent. In the given share of "
            "the training windows, targets are permuted.",
        ],
    )


def table_10(runs: Runs) -> Page:
    rows = {"no recg": sym_gnn(num_classes=0), "0 %": sym_gnn()}
    rows |= {
        f"{100 * share:g} %": sym_gnn(noisy_labels=share)
        for share in noise_ratios(runs)
    }
    return comparison(
        "table-10",
        "prediction with noisy labels",
        ("Human3.6M",),
        {name: short_errors(runs, run) for name, run in rows.items()},
        runs.data.name,
        ERROR,
        [
            "Mean angle errors, averaged over actions. In the given share of "
            "the training windows, labels are permuted.",
        ],
    )


def figure_9(runs: Runs) -> Page:
    quick = runs.settings.quick
    ratios = (0.2, 0.6, 1.0) if quick else tuple(i / 10 for i in range(1, 11))
    curves: dict[str, dict[float, Spread]] = {}
    for name in ("predict 10", "predict all", "no prediction"):
        curves[name] = {
            ratio: runs.spread(early(name, ratio), accuracy) for ratio in ratios
        }
    return Page(
        "recognition from the beginning of an action",
        ("NTU-RGB+D",),
        [f"{name} (ours, {runs.data.name})" for name in curves],
        [
            (f"{ratio:g}", [points[ratio] for points in curves.values()])
            for ratio in ratios
        ],
        lines({"": curves}, "observation ratio", "top-1, %"),
        [
            LOST.format("figure"),
            f"An action is a window of {OBSERVED} frames and the next {AHEAD}. "
            f"A share of the {OBSERVED} is observed; the next {AHEAD}, all "
            f"others, or none are predicted. Each point is a separately "
            f"trained network.",
        ],
    )


def early(strategy: str, ratio: float) -> Run:
    """A network that sees only the first frames."""
    observed = max(1, round(ratio * OBSERVED))
    rest = OBSERVED + AHEAD - observed
    ahead = {"predict all": rest, "no prediction": 0}
    return sym_gnn(num_observed=observed, num_future=ahead.get(strategy, AHEAD))


def top_1(runs: Runs, run: Run) -> dict[str, Spread]:
    """The top-1 accuracy in percent."""
    return {"top-1": runs.spread(run, accuracy)}


def short_errors(runs: Runs, run: Run) -> dict[str, Spread]:
    """The errors at the times of short-term prediction."""
    results = runs.results(run)
    return {
        f"{ms} ms": spread(
            [average_error(one, frame_at(ms)) for one in results]
        )
        for ms in SHORT_MS
    }

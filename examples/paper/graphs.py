"""Tables XI and XII, figure 10: the effects of graphs."""

from collections.abc import Callable

from examples.paper.measures import Spread, short_error
from examples.paper.published import LOST, published
from examples.paper.recognition import ONLY_JA, ONLY_JS, ONLY_P
from examples.paper.render import (
    ACCURACY,
    ERROR,
    Page,
    bars,
    compare,
    lines,
)
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs
from examples.paper.symbiosis import top_1

HOPS = (1, 2, 3, 4)


def accuracy(runs: Runs, run: Run) -> Spread:
    """The top-1 accuracy in percent."""
    return top_1(runs, run)["top-1"]


def error(runs: Runs, run: Run) -> Spread:
    """The average error of short-term prediction."""
    return runs.spread(run, short_error)


def by_hops(
    runs: Runs, measure: Callable[[Runs, Run], Spread]
) -> dict[str, dict[str, Spread]]:
    """A measure for each number of hops and kind of graph."""
    found: dict[str, dict[str, Spread]] = {}
    for hops in HOPS:
        row = found[f"L = {hops}"] = {
            "only JS": measure(runs, sym_gnn(num_hops=hops, **ONLY_JS)),
            "full": measure(runs, sym_gnn(num_hops=hops)),
        }
        if hops == 1:
            row["only JA"] = measure(runs, sym_gnn(**ONLY_JA))
            row["only P"] = measure(runs, sym_gnn(**ONLY_P))
    return found


SPANS = (
    "'Only JA' and 'only P' have no hops: the first row has their only number."
)


def table_11(runs: Runs) -> Page:
    theirs, ours = published("table-11"), by_hops(runs, accuracy)
    return Page(
        "recognition with different graphs",
        ("NTU-RGB+D",),
        *compare(theirs, ours, runs.data.name),
        bars(theirs, ours, runs.data.name, ACCURACY),
        [
            LOST.format("table"),
            "Top-1 accuracies of the joint network in percent.",
            SPANS,
        ],
    )


def table_12(runs: Runs) -> Page:
    theirs, ours = published("table-12"), by_hops(runs, error)
    return Page(
        "prediction with different graphs",
        ("Human3.6M",),
        *compare(theirs, ours, runs.data.name),
        bars(theirs, ours, runs.data.name, ERROR),
        [
            "Mean angle errors, averaged over actions and over 80, 160, 320 "
            "and 400 ms.",
            SPANS,
        ],
    )


def figure_10(runs: Runs) -> Page:
    weights = (0.0, 0.25, 0.5, 0.75, 1.0)
    found = {w: sym_gnn(lambda_=w) for w in weights}
    right = {w: accuracy(runs, run) for w, run in found.items()}
    wrong = {w: error(runs, run) for w, run in found.items()}
    return Page(
        "the weight of the actional graphs",
        ("NTU-RGB+D", "Human3.6M"),
        [
            f"top-1, % (ours, {runs.data.name})",
            f"error (ours, {runs.data.name})",
        ],
        [(f"λ = {w:g}", [right[w], wrong[w]]) for w in weights],
        lines(
            {
                f"top-1 {ACCURACY}": {"recognition": right},
                ERROR: {"prediction": wrong},
            },
            "λ, the weight of actional graphs",
        ),
        [
            LOST.format("figure"),
            "The error is averaged over actions and over 80, 160, 320 and "
            "400 ms.",
        ],
    )

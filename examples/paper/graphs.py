"""Tables XI and XII, figure 10: the effects of graphs."""

from collections.abc import Callable
from typing import Any

from examples.paper.measures import Spread, accuracy, short_error
from examples.paper.published import LOST
from examples.paper.recognition import ONLY_JA, ONLY_JS, ONLY_P
from examples.paper.render import ACCURACY, ERROR, Page, comparison, lines
from examples.paper.run import sym_gnn
from examples.paper.runs import Runs

HOPS = (1, 2, 3, 4)


def by_hops(
    runs: Runs, measure: Callable[[dict[str, Any]], float]
) -> dict[str, dict[str, Spread]]:
    """A measure for each number of hops and kind of graph."""
    found: dict[str, dict[str, Spread]] = {}
    for hops in HOPS:
        row = found[f"L = {hops}"] = {
            "only JS": runs.spread(sym_gnn(num_hops=hops, **ONLY_JS), measure),
            "full": runs.spread(sym_gnn(num_hops=hops), measure),
        }
        if hops == 1:
            row["only JA"] = runs.spread(sym_gnn(**ONLY_JA), measure)
            row["only P"] = runs.spread(sym_gnn(**ONLY_P), measure)
    return found


SPANS = (
    "'Only JA' and 'only P' have no hops: the first row has their only number."
)


def table_11(runs: Runs) -> Page:
    return comparison(
        "table-11",
        "recognition with different graphs",
        ("NTU-RGB+D",),
        by_hops(runs, accuracy),
        runs.data.name,
        ACCURACY,
        [
            "Top-1 accuracies of the joint network in percent.",
            SPANS,
        ],
    )


def table_12(runs: Runs) -> Page:
    return comparison(
        "table-12",
        "prediction with different graphs",
        ("Human3.6M",),
        by_hops(runs, short_error),
        runs.data.name,
        ERROR,
        [
            "Mean angle errors, averaged over actions and over 80, 160, 320 "
            "and 400 ms.",
            SPANS,
        ],
    )


def figure_10(runs: Runs) -> Page:
    weights = (0.0, 0.25, 0.5, 0.75, 1.0)
    found = {w: sym_gnn(lambda_=w) for w in weights}
    right = {w: runs.spread(run, accuracy) for w, run in found.items()}
    wrong = {w: runs.spread(run, short_error) for w, run in found.items()}
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

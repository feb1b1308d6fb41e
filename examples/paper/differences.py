"""Tables XIII and XIV: orders of difference."""

from examples.paper.render import ACCURACY, ERROR, Page, comparison
from examples.paper.run import sym_gnn
from examples.paper.runs import Runs
from examples.paper.symbiosis import short_errors, top_1

RUNS = {
    ", ".join(map(str, orders)): sym_gnn(orders=orders)
    for orders in ((0,), (0, 1), (0, 1, 2))
}


def table_13(runs: Runs) -> Page:
    return comparison(
        "table-13",
        "recognition with different orders of difference",
        ("NTU-RGB+D",),
        {name: top_1(runs, run) for name, run in RUNS.items()},
        runs.data.name,
        ACCURACY,
        ["Accuracies of the joint network in percent."],
    )


def table_14(runs: Runs) -> Page:
    return comparison(
        "table-14",
        "prediction with different orders of difference",
        ("Human3.6M",),
        {name: short_errors(runs, run) for name, run in RUNS.items()},
        runs.data.name,
        ERROR,
        [
            "Mean angle errors, averaged over actions.",
            "The preprint's text lacks the names of the three rows; they are "
            "taken in its order.",
        ],
    )

"""Tables IV to VIII: prediction."""

import statistics
from collections.abc import Collection
from dataclasses import replace

from examples.paper.measures import (
    SHORT_MS,
    Spread,
    average_error,
    frame_at,
    spread,
)
from examples.paper.published import (
    action_name,
    published,
    published_errors,
)
from examples.paper.recognition import ONLY_JA, ONLY_JS
from examples.paper.render import ERROR, Cell, Page, compare, lines
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs

SHORT = {
    "ZeroV": Run(network="ZeroV"),
    "linear regression": Run(network="linear regression"),
    "Res-uns": Run(network="Res-uns"),
    "LTD": Run(network="LTD"),
    "Sym-GNN (no recg)": sym_gnn(num_classes=0),
    "Sym-GNN": sym_gnn(),
}
LONG = {
    name: replace(run, num_future=25, horizon=25) for name, run in SHORT.items()
}
AVERAGE = "Average"


def table_4(runs: Runs) -> Page:
    times = range(1, 11)
    columns = [*(f"frame {t}" for t in times), "average"]
    theirs = published("table-4")
    rows: list[tuple[str, list[Cell]]] = [
        (
            f"{name} (paper, {benchmark})",
            [cells[f"{benchmark} {column}"] for column in columns],
        )
        for benchmark in ("CS", "CV")
        for name, cells in theirs.items()
    ]
    curves: dict[str, dict[float, Cell]] = {
        f"paper, CS: {name}": {t: theirs[name][f"CS frame {t}"] for t in times}
        for name in ("ZeroV", "Sym-GNN")
    }
    for name, run in SHORT.items():
        shares = [[100 * v for v in one["pck"]] for one in runs.results(run)]
        frames = list(map(spread, map(list, zip(*shares, strict=True))))
        average = spread(list(map(statistics.fmean, shares)))
        rows.append((f"{name} (ours, {runs.data.name})", [*frames, average]))
        curves[name] = dict(zip(times, frames, strict=True))
    return Page(
        "prediction on NTU-RGB+D, PCK@0.05",
        ("NTU-RGB+D",),
        columns,
        rows,
        lines({"": curves}, "future frame", "PCK@0.05, %"),
        [
            "Percentage of joints closer to the truth than 0.05 times the "
            "diagonal of the bounding box of the true joints in the frame; the "
            "paper does not define its normalisation.",
            "Our positions are computed from predicted angles by forward "
            "kinematics.",
        ],
    )


def table_5(runs: Runs) -> Page:
    variants = {
        "Sym-GNN (only JA)": sym_gnn(**ONLY_JA),
        "Sym-GNN (only JS)": sym_gnn(**ONLY_JS),
    }
    return error_table(
        runs,
        "table-5",
        {**SHORT, **variants},
        SHORT_MS,
        "short-term prediction on Human3.6M, four actions",
        ("Human3.6M",),
    )


def table_6(runs: Runs) -> Page:
    page = error_table(
        runs,
        "table-6",
        SHORT,
        SHORT_MS,
        "short-term prediction on Human3.6M, the other actions",
        ("Human3.6M",),
    )
    page.notes.append(
        "'Sitting · ZeroV' at 160 ms, 1.63, is a typo in the paper: by its "
        "protocol it is 0.63."
    )
    return page


def table_7(runs: Runs) -> Page:
    return error_table(
        runs,
        "table-7",
        LONG,
        (*SHORT_MS, 1000),
        "long-term prediction on CMU Mocap",
        ("CMU Mocap",),
    )


def table_8(runs: Runs) -> Page:
    return error_table(
        runs,
        "table-8",
        LONG,
        (560, 1000),
        "long-term prediction on Human3.6M",
        ("Human3.6M",),
    )


def error_table(
    runs: Runs,
    name: str,
    networks: dict[str, Run],
    times: tuple[int, ...],
    title: str,
    setting: tuple[str, ...],
) -> Page:
    """Errors by action and method at several times."""
    theirs = published_errors(name)
    # An action of the same name in other data is a different one.
    same = runs.data.name in setting
    ours = errors(runs, networks, times, theirs if same else None)
    methods = list(next(iter(theirs.values())))
    actions = [*theirs, *(action for action in ours if action not in theirs)]
    paper: dict[str, dict[str, Cell]] = {}
    own: dict[str, dict[str, Cell]] = {}
    for action in actions:
        for method in [*methods, *networks]:
            row = f"{action} · {method}"
            if method in theirs.get(action, {}):
                paper[row] = dict(theirs[action][method])
            if method in ours.get(action, {}):
                own[row] = dict(ours[action][method])
    columns, rows = compare(paper, own, runs.data.name)
    rank = {action: i for i, action in enumerate(actions)}
    rows.sort(key=lambda row: rank[row[0].partition(" · ")[0]])
    return Page(
        title,
        setting,
        columns,
        rows,
        lines(
            panels(theirs if same else {}, ours, times),
            "time after the last observed frame, ms",
            ERROR,
        ),
        [
            "Mean angle errors in radians at the frame, not averaged up to it.",
            "The published metric does not wrap differences of Euler angles at "
            "half a turn, so that a single window in which an angle is taken "
            "for almost a full turn more or less can decide a cell.",
            "Our 'Res-uns' and 'LTD' follow their papers; our 'Average' is "
            f"over all {'' if AVERAGE in theirs else 'these '}actions.",
        ],
    )


def errors(
    runs: Runs,
    networks: dict[str, Run],
    times: tuple[int, ...],
    table: Collection[str] | None = None,
) -> dict[str, dict[str, dict[str, Spread]]]:
    """Our errors by action, method and time.

    Args:
        runs: The runs.
        networks: The run of each method.
        times: The times in milliseconds.
        table: The rows of a table, by the paper's names of actions; other
            actions are left out, and count for an average only if the table
            has one. (default: all of ours)
    """
    found: dict[str, dict[str, dict[str, Spread]]] = {}
    for method, run in networks.items():
        results = runs.results(run)
        every = list(results[0]["error"])
        shown = [a for a in every if table is None or action_name(a) in table]
        groups = {action_name(action): [action] for action in shown}
        groups[AVERAGE] = every if AVERAGE in (table or ()) else shown
        for label, actions in groups.items():
            found.setdefault(label, {})[method] = {
                f"{ms} ms": spread(
                    [
                        average_error(one, frame_at(ms), actions)
                        for one in results
                    ]
                )
                for ms in times
            }
    return found


def panels(
    theirs: dict[str, dict[str, dict[str, float]]],
    ours: dict[str, dict[str, dict[str, Spread]]],
    times: tuple[int, ...],
) -> dict[str, dict[str, dict[float, Cell]]]:
    """The curves of each of our actions, with those of the paper."""
    shown = {}
    for action, methods in ours.items():
        curves: dict[str, dict[float, Cell]] = {
            method: {ms: cells[f"{ms} ms"] for ms in times}
            for method, cells in methods.items()
        }
        paper = theirs.get(action, {}).get("Sym-GNN")
        if paper is not None:
            curves["paper: Sym-GNN"] = {
                ms: paper.get(f"{ms} ms") for ms in times
            }
        shown[action] = curves
    return shown

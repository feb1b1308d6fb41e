"""Tables IV to VIII: prediction."""

import statistics
from dataclasses import replace
from typing import Any

from examples.paper.measures import (
    SHORT_MS,
    Spread,
    average_error,
    frame_at,
    spread,
)
from examples.paper.published import published, published_errors
from examples.paper.recognition import ONLY_JA, ONLY_JS
from examples.paper.render import Cell, Page, compare, lines
from examples.paper.run import Run, sym_gnn
from examples.paper.runs import Runs

SHORT = {
    "ZeroV": Run(network="ZeroV"),
    "Res-uns": Run(network="Res-uns"),
    "LTD": Run(network="LTD"),
    "Sym-GNN (no recg)": sym_gnn(num_classes=0),
    "Sym-GNN": sym_gnn(),
}
LONG = {
    name: replace(run, num_future=25, horizon=25) for name, run in SHORT.items()
}
NAMES = {"washwindow": "Washing Window"}


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
    curves = {
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
        lines({"PCK@0.05": curves}, "future frame", "%"),
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
    ours = errors(runs, networks, times)
    methods = list(next(iter(theirs.values())))
    actions = [*theirs, *(action for action in ours if action not in theirs)]
    cells: list[dict[str, dict[str, Cell]]] = [{}, {}]
    for action in actions:
        for side, found in zip(cells, (theirs, ours), strict=True):
            for method in [*methods, *networks]:
                if method in found.get(action, {}):
                    row = f"{action} · {method}"
                    side[row] = dict(found[action][method])
    columns, rows = compare(*cells, runs.data.name)
    rank = {action: i for i, action in enumerate(actions)}
    rows.sort(key=lambda row: rank[row[0].partition(" · ")[0]])
    # An action of the same name in other data is a different one.
    drawn = theirs if runs.data.name in setting else {}
    return Page(
        title,
        setting,
        columns,
        rows,
        lines(panels(drawn, ours, times), "ms", "mean angle error"),
        [
            "Mean angle errors in radians at the frame, not averaged up to it.",
            "Our 'Res-uns' and 'LTD' follow their papers; our 'Average' is "
            "over our own actions.",
        ],
    )


def errors(
    runs: Runs, networks: dict[str, Run], times: tuple[int, ...]
) -> dict[str, dict[str, dict[str, Spread]]]:
    """Our errors by action, method and time."""
    found: dict[str, dict[str, dict[str, Spread]]] = {}
    for method, run in networks.items():
        results = runs.results(run)
        for action in [*results[0]["error"], None]:
            label = "Average" if action is None else action_name(action)
            found.setdefault(label, {})[method] = {
                f"{ms} ms": spread(
                    [error_at(one, action, frame_at(ms)) for one in results]
                )
                for ms in times
            }
    return found


def error_at(result: dict[str, Any], action: str | None, frame: int) -> float:
    """The error of an action, or the average over actions."""
    if action is None:
        return average_error(result, frame)
    return result["error"][action][frame]


def action_name(action: str) -> str:
    """The paper's name of an action."""
    return NAMES.get(action, action.replace("_", " ").title())


def panels(theirs: dict, ours: dict, times: tuple[int, ...]) -> dict:
    """The curves of each of our actions, with those of the paper."""
    shown = {}
    for action, methods in ours.items():
        curves = {
            method: {ms: cells[f"{ms} ms"] for ms in times}
            for method, cells in methods.items()
        }
        cells = theirs.get(action, {}).get("Sym-GNN")
        if cells is not None:
            curves["paper: Sym-GNN"] = {
                ms: cells.get(f"{ms} ms") for ms in times
            }
        shown[action] = curves
    return shown

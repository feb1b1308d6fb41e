"""The numbers of the paper.

`published/` holds them as in the text of the preprint (arXiv:1910.02212), one
file per table; cells whose numbers the text lacks are empty.
"""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent / "published"
LOST = (
    "The preprint's text, from which the published numbers are taken, lacks "
    "those of this {}."
)
# The paper's names of actions that follow from no rule.
NAMES = {
    "washwindow": "Washing Window",
    "sittingdown": "Sitting Down",
    "takingphoto": "Taking Photo",
    "walkingdog": "Walking Dog",
    "walkingtogether": "Walking Together",
}


def action_name(action: str) -> str:
    """The paper's name of an action of a data set."""
    return NAMES.get(action, action.replace("_", " ").title())


def published(table: str) -> dict[str, dict[str, float]]:
    """The numbers of a table by row and column, without the missing ones.

    Args:
        table: Its name, such as :obj:`"table-3"`.
    """
    with open(FOLDER / f"{table}.csv", newline="") as file:
        return {
            row.pop("row"): {
                column: float(value) for column, value in row.items() if value
            }
            for row in csv.DictReader(file)
        }


def published_errors(
    table: str,
) -> dict[str, dict[str, dict[str, float]]]:
    """The errors of a table by action, method and time."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for method, cells in published(table).items():
        for column, value in cells.items():
            action, milliseconds, _ = column.rsplit(" ", 2)
            methods = found.setdefault(action, {})
            methods.setdefault(method, {})[f"{milliseconds} ms"] = value
    return found

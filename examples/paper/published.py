"""The numbers of the paper.

`published/` holds them as the text of the preprint (arXiv:1910.02212) has
them, one file a table; cells whose numbers the text has lost are empty.
"""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent / "published"
LOST = (
    "The text of the paper that the published numbers were taken from has "
    "lost those of this {}."
)


def published(table: str) -> dict[str, dict[str, float]]:
    """The numbers of a table, by row and column; lost ones are left out.

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

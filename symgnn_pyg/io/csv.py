from collections.abc import Sequence

import numpy as np

from symgnn_pyg.errors import DataError
from symgnn_pyg.io.limits import check_lines
from symgnn_pyg.io.source import read_table


def parse_csv(content: bytes, where: str, joints: Sequence[str]) -> np.ndarray:
    r"""The frames of a table, one a line, of shape :math:`[T, V, C]`: the
    channels of the first joint, then those of the second, and so on,
    separated by commas. The first line may name the columns,
    :obj:`elbow_x,elbow_y,elbow_z,wrist_x,...`

    Args:
        content: The content of the file.
        where: Its name, for messages.
        joints: The names of the joints.

    Raises:
        DataError: If a line has another number of columns, holds anything but
            finite numbers, names other joints, or is longer than 1 MiB; the
            message names the line.
    """
    check_lines(content, where)
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise DataError(f"{where} is empty")
    head, _, rest = content.partition(b"\n")
    cells = [cell.strip() for cell in head.decode(errors="replace").split(",")]
    channels, remainder = divmod(len(cells), len(joints))
    if remainder:
        raise DataError(
            f"{where}, line 1: {len(cells)} columns, expected a multiple of "
            f"the {len(joints)} joints"
        )
    if not any(map(_is_number, cells)):
        _check_header(cells, where, joints, channels)
        # A blank line in its place, so that messages name the line.
        content = b"\n" + rest
    table = read_table(content, where, len(cells))
    return table.reshape(len(table), len(joints), channels)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_header(
    cells: Sequence[str], where: str, joints: Sequence[str], channels: int
) -> None:
    endings = [cell.rpartition("_")[2] for cell in cells[:channels]]
    expected = (f"{joint}_{end}" for joint in joints for end in endings)
    for column, (cell, name) in enumerate(
        zip(cells, expected, strict=True), start=1
    ):
        if cell != name:
            raise DataError(
                f"{where}, line 1, column {column}: {cell!r}, expected "
                f"{name!r}; columns go joint by joint in the skeleton's order"
            )
